//! From the configuration to how executors are called: the same for gateways and for heads.

use std::time::Duration;

use config::{Client, Compression, GrpcOptions, Retries};
use grpc::Encoding;
use grpc::client::Keepalive;
use http::HeaderValue;
use rustls::pki_types::ServerName;

use super::{Balance, Peer, Role, Settings};
use crate::{Address, Identity, InvalidAddress, Resolver, Roots};

impl From<&Client> for Settings {
    fn from(client: &Client) -> Self {
        let identity = client.tls.identity.clone();
        let defaults = grpc::client::Options::default();
        let options = grpc::client::Options {
            connect_timeout: client.connect_timeout,
            keepalive: keepalive(&client.grpc),
            max_message: length(&client.grpc, "grpc.max_receive_message_length")
                .unwrap_or(defaults.max_message),
            max_request: length(&client.grpc, "grpc.max_send_message_length").unwrap_or(defaults.max_request),
            max_header: ["grpc.max_metadata_size", "grpc.absolute_max_metadata_size"]
                .into_iter()
                .filter_map(|name| small(&client.grpc, name))
                .max()
                .or(defaults.max_header),
            max_frame: small(&client.grpc, "grpc.http2.max_frame_size")
                .map_or(defaults.max_frame, |size| size.clamp(1 << 14, (1 << 24) - 1)),
            stream_window: small(&client.grpc, "grpc.http2.lookahead_bytes")
                .map_or(defaults.stream_window, |window| window.min(i32::MAX.unsigned_abs())),
            user_agent: user_agent(&client.grpc, &defaults.user_agent),
            ..defaults
        };
        Self {
            role: Role::Gateway,
            calls_per_connection: 32,
            resolve_timeout: Duration::from_secs(5),
            discovery_timeout: Duration::from_secs(10),
            probe_timeout: Duration::from_secs(1),
            resolver: Resolver::system(),
            retries: match client.retries {
                Retries::Auto => -1,
                Retries::Times(times) => i32::try_from(times).unwrap_or(i32::MAX),
            },
            timeout_send: client.timeout_send,
            encoding: match client.compression {
                Compression::None => Encoding::Identity,
                Compression::Deflate => Encoding::Deflate,
                Compression::Gzip => Encoding::Gzip,
                Compression::Zstd => Encoding::Zstd,
            },
            balance: match client.balance {
                config::Balance::LeastLoaded => Balance::LeastLoaded,
                config::Balance::RoundRobin => Balance::RoundRobin,
            },
            connections_per_replica: client.connections_per_replica.get(),
            // Once means: not within the life of any process.
            resolve_every: client.resolve_every.unwrap_or(Duration::from_secs(u32::MAX.into())),
            first_backoff: ["grpc.initial_reconnect_backoff_ms", "grpc.min_reconnect_backoff_ms"]
                .into_iter()
                .filter_map(|name| client.grpc.milliseconds(name))
                .max()
                .unwrap_or(Duration::from_millis(50)),
            peer: peer(&client.grpc),
            max_backoff: client
                .grpc
                .milliseconds("grpc.max_reconnect_backoff_ms")
                .unwrap_or(Duration::from_secs(1)),
            roots: client.tls.authorities.clone().map_or(Roots::System, Roots::File),
            identity: identity.map(|(certificates, private_key)| Identity { certificates, private_key }),
            options,
        }
    }
}

impl TryFrom<&config::Address> for Address {
    type Error = InvalidAddress;

    fn try_from(address: &config::Address) -> Result<Self, InvalidAddress> {
        address.to_string().parse()
    }
}

/// A time that is not positive switches pings off.
fn keepalive(options: &GrpcOptions) -> Option<Keepalive> {
    let defaults = Keepalive::default();
    let time = options.number("grpc.keepalive_time_ms");
    if time.is_some_and(|time| time <= 0 || time >= i32::MAX.into()) {
        return None;
    }
    let number = |name| options.number(name);
    Some(Keepalive {
        time: options.milliseconds("grpc.keepalive_time_ms").unwrap_or(defaults.time),
        timeout: options.milliseconds("grpc.keepalive_timeout_ms").unwrap_or(defaults.timeout),
        without_calls: number("grpc.keepalive_permit_without_calls")
            .map_or(defaults.without_calls, |permit| permit != 0),
        max_without_data: number("grpc.http2.max_pings_without_data")
            .and_then(|pings| usize::try_from(pings).ok())
            .map_or(defaults.max_without_data, |pings| if pings == 0 { usize::MAX } else { pings }),
    })
}

/// What peers are called instead of what their addresses say. The configuration holds only names that are some.
fn peer(options: &GrpcOptions) -> Peer {
    let name = options.text("grpc.ssl_target_name_override");
    let authority = options.text("grpc.default_authority").or(name);
    Peer {
        authority: authority.and_then(|authority| authority.parse().ok()),
        server_name: name.and_then(|name| ServerName::try_from(name.to_owned()).ok()),
    }
}

/// The user's own words stand before ours.
fn user_agent(options: &GrpcOptions, ours: &HeaderValue) -> HeaderValue {
    let words = options.text("grpc.primary_user_agent").map(str::as_bytes).unwrap_or_default();
    let both = [words, ours.as_bytes()].join(&b' ');
    HeaderValue::from_bytes(both.trim_ascii()).unwrap_or_else(|_| ours.clone())
}

fn small(options: &GrpcOptions, name: &str) -> Option<u32> {
    u32::try_from(options.number(name)?).ok().filter(|number| *number > 0)
}

/// A number of things; negative ones mean that there is no bound.
fn length(options: &GrpcOptions, name: &str) -> Option<usize> {
    usize::try_from(options.number(name)?).ok()
}

#[cfg(test)]
mod tests {
    use config::{Command, Environment, Parsed};

    use super::*;

    #[test]
    fn options_of_channels_arrive() {
        let options = r#"{"grpc.max_send_message_length": 10, "grpc.max_receive_message_length": 20,
            "grpc.keepalive_time_ms": 20000, "grpc.keepalive_timeout_ms": 300,
            "grpc.keepalive_permit_without_calls": false, "grpc.http2.max_pings_without_data": 0,
            "grpc.ssl_target_name_override": "executor.test", "grpc.default_authority": "front:1",
            "grpc.primary_user_agent": "me/1", "grpc.initial_reconnect_backoff_ms": 7,
            "grpc.max_reconnect_backoff_ms": 70, "grpc.max_metadata_size": 8000,
            "grpc.http2.max_frame_size": 20000, "grpc.http2.lookahead_bytes": 70000}"#;
        let argv = ["gateway", "--grpc-channel-options", options].map(str::to_owned);
        let parsed = config::command(&argv, &Environment::new());
        let Ok(Parsed { command: Command::Gateway(spec), warnings }) = parsed else { panic!("{parsed:?}") };
        assert_eq!(warnings, []);
        let got = Settings::from(&spec.client);
        assert_eq!((got.options.max_request, got.options.max_message), (10, 20));
        let keepalive = Keepalive {
            time: Duration::from_secs(20),
            timeout: Duration::from_millis(300),
            without_calls: false,
            max_without_data: usize::MAX,
        };
        assert_eq!(got.options.keepalive, Some(keepalive));
        assert_eq!(got.peer.authority.unwrap().as_str(), "front:1");
        assert_eq!(got.peer.server_name.unwrap().to_str(), "executor.test");
        assert!(got.options.user_agent.as_bytes().starts_with(b"me/1 flowgate/"));
        let millis = Duration::from_millis;
        assert_eq!((got.first_backoff, got.max_backoff), (millis(7), millis(70)));
        assert_eq!((got.options.max_header, got.options.max_frame), (Some(8000), 20_000));
        assert_eq!(got.options.stream_window, 70_000);
    }
}
