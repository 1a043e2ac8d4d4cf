//! From the configuration to how executors are called: the same for gateways and for heads.

use std::time::Duration;

use config::{Client, Compression, GrpcOptions, Retries};
use grpc::Encoding;
use grpc::client::Keepalive;

use super::{Balance, Settings};
use crate::{Address, Identity, InvalidAddress, Roots};

impl From<&Client> for Settings {
    fn from(client: &Client) -> Self {
        let identity = client.tls.identity.clone();
        let defaults = Self::default();
        let options = grpc::client::Options {
            connect_timeout: client.connect_timeout,
            keepalive: keepalive(&client.grpc),
            max_message: length(&client.grpc, "grpc.max_receive_message_length")
                .unwrap_or(defaults.options.max_message),
            ..defaults.options.clone()
        };
        Self {
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
            max_backoff: client
                .grpc
                .milliseconds("grpc.max_reconnect_backoff_ms")
                .unwrap_or(defaults.max_backoff),
            roots: client.tls.authorities.clone().map_or(Roots::System, Roots::File),
            identity: identity.map(|(certificates, private_key)| Identity { certificates, private_key }),
            options,
            ..defaults
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

/// A number of things; negative ones mean that there is no bound.
fn length(options: &GrpcOptions, name: &str) -> Option<usize> {
    usize::try_from(options.number(name)?).ok()
}

#[cfg(test)]
mod tests {
    use config::{Command, Environment};

    use super::*;

    #[test]
    fn the_defaults_are_those_of_a_gateway_without_flags() {
        let parsed = config::command(&["gateway".to_owned()], &Environment::default());
        let Ok(config::Parsed { command: Command::Gateway(spec), .. }) = parsed else { panic!("{parsed:?}") };
        // Neither compares the resolver.
        let (configured, default) = (Settings::from(&spec.client), Settings::default());
        assert_eq!(format!("{configured:?}"), format!("{default:?}"));
    }
}
