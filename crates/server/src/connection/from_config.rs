//! From the configuration to what connections allow: the same for gateways and for executors.

use std::time::Duration;

use config::{GrpcOptions, Server, WebServer};

use super::{Headers, HttpOptions};

impl From<&Server> for HttpOptions {
    fn from(server: &Server) -> Self {
        let defaults = Self::default();
        let Server { limits, grpc, .. } = server;
        // Pings that are switched off are pings after no time, or after one that never comes.
        let time = grpc.number("grpc.keepalive_time_ms");
        let never = time.is_some_and(|time| time <= 0 || time >= i32::MAX.into());
        let keepalive_time = grpc.milliseconds("grpc.keepalive_time_ms").or(defaults.keepalive_time);
        // Headers may be as large as the harder of gRPC's two limits.
        let max_header = ["grpc.max_metadata_size", "grpc.absolute_max_metadata_size"];
        let max_header = max_header.into_iter().filter_map(|name| positive(grpc, name)).max();
        Self {
            max_connections: limits.connections,
            handshake_timeout: limits.handshake_timeout,
            header_timeout: limits.header_timeout,
            max_header_bytes: max_header.unwrap_or(limits.header),
            max_streams: positive(grpc, "grpc.max_concurrent_streams").unwrap_or(limits.streams),
            keepalive_time: keepalive_time.filter(|_| !never),
            keepalive_timeout: grpc
                .milliseconds("grpc.keepalive_timeout_ms")
                .unwrap_or(defaults.keepalive_timeout),
            max_age: grpc.milliseconds("grpc.max_connection_age_ms").filter(|age| *age < FOREVER),
            max_idle: grpc.milliseconds("grpc.max_connection_idle_ms").filter(|idle| *idle < FOREVER),
            age_grace: grpc.milliseconds("grpc.max_connection_age_grace_ms").filter(|grace| *grace < FOREVER),
            max_frame: positive(grpc, "grpc.http2.max_frame_size")
                .map_or(defaults.max_frame, |size| size.clamp(1 << 14, (1 << 24) - 1)),
            stream_window: positive(grpc, "grpc.http2.lookahead_bytes")
                .map_or(defaults.stream_window, |window| window.min(i32::MAX.unsigned_abs())),
            ..defaults
        }
    }
}

impl HttpOptions {
    /// With what the user said about the web server.
    #[must_use]
    pub fn with_web_server(self, web_server: &WebServer) -> Self {
        Self {
            header_timeout: web_server.keep_alive.unwrap_or(self.header_timeout),
            max_header_bytes: web_server.max_header.unwrap_or(self.max_header_bytes),
            headers: headers(web_server),
            max_concurrency: web_server.limit_concurrency,
            ..self
        }
    }
}

/// Names and values were checked when they were read.
fn headers(web_server: &WebServer) -> Headers {
    let headers = web_server.headers.iter();
    headers.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect()
}

/// What gRPC means by never.
const FOREVER: Duration = Duration::from_millis(i32::MAX.unsigned_abs() as u64);

fn positive(options: &GrpcOptions, name: &str) -> Option<u32> {
    u32::try_from(options.number(name)?).ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use config::{Command, Environment, Parsed};

    use super::*;

    fn options(arguments: &[&str]) -> HttpOptions {
        let argv: Vec<String> = ["gateway"].iter().chain(arguments).map(|&word| word.to_owned()).collect();
        let Ok(Parsed { command: Command::Gateway(spec), warnings }) =
            config::command(&argv, &Environment::new())
        else {
            panic!("{argv:?}")
        };
        assert_eq!(warnings, []);
        HttpOptions::from(&spec.server).with_web_server(&spec.http.web_server)
    }

    #[test]
    fn options_of_grpc_and_uvicorn_arrive() {
        let options = options(&[
            "--grpc-server-options",
            r#"{"grpc.keepalive_time_ms": 1000, "grpc.keepalive_timeout_ms": 500,
                "grpc.max_concurrent_streams": 7, "grpc.max_metadata_size": 8000,
                "grpc.absolute_max_metadata_size": 9000, "grpc.max_connection_age_ms": 60000,
                "grpc.max_connection_age_grace_ms": 2000, "grpc.max_connection_idle_ms": 7000,
                "grpc.http2.max_frame_size": 20000,
                "grpc.http2.lookahead_bytes": 70000}"#,
            "--uvicorn-kwargs",
            r#"{"timeout_keep_alive": 3, "workers": 4, "limit_concurrency": 5,
                "headers": [["X-Team", "search"], ["x-team", "index"]]}"#,
        ]);
        assert_eq!(options.keepalive_time, Some(Duration::from_secs(1)));
        assert_eq!(options.keepalive_timeout, Duration::from_millis(500));
        assert_eq!((options.max_streams, options.max_header_bytes), (7, 9000));
        assert_eq!(options.max_age, Some(Duration::from_secs(60)));
        assert_eq!(options.age_grace, Some(Duration::from_secs(2)));
        assert_eq!(options.max_idle, Some(Duration::from_secs(7)));
        assert_eq!((options.max_frame, options.stream_window), (20_000, 70_000));
        assert_eq!(options.header_timeout, Duration::from_secs(3));
        assert_eq!(options.max_concurrency, Some(5));
        let headers: Vec<_> = options.headers.iter().map(|(name, value)| (name.as_str(), value)).collect();
        assert_eq!(headers, [("x-team", &"search".parse().unwrap()), ("x-team", &"index".parse().unwrap())]);
    }

    #[test]
    fn pings_can_be_switched_off() {
        for time in ["0", "2147483647"] {
            let option = format!("grpc.keepalive_time_ms: {time}");
            assert_eq!(options(&["--grpc-server-options", &option]).keepalive_time, None, "{time}");
        }
        assert_eq!(options(&[]).keepalive_time, Some(Duration::from_millis(9999)));
    }
}
