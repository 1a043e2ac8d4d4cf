//! The faces of an executor: those of a gateway, over the executor's own endpoints.

use std::time::Duration;

use docarray::discovery::Catalog;
use executor_runtime::Hosted;
use info::{Health, JINA_SERVICES, Report};
use server::DrainHandle;
use tonic::service::Routes;

use crate::Protocol;
use crate::served::Services;

/// What makes the services of ports.
pub(crate) struct FrontEnds {
    hosted: Hosted,
    control: Routes,
    http: frontend_http::FrontEnd,
    websocket: frontend_websocket::FrontEnd,
}

/// What the process says of itself, and how its ports end.
pub(crate) struct Process<'a> {
    pub(crate) report: Report,
    pub(crate) health: Health,
    pub(crate) drain: &'a DrainHandle,
}

/// What the ports do that clients call without a gateway.
pub(crate) struct Faces {
    pub(crate) rest: frontend_http::Settings,
    pub(crate) websocket_ping: Option<Duration>,
}

impl FrontEnds {
    pub(crate) fn new(
        hosted: Hosted,
        faces: Faces,
        process: Process<'_>,
        node: Option<&consensus::Node>,
    ) -> Self {
        let Faces { rest, websocket_ping } = faces;
        let Process { report, health, drain } = process;
        let catalog = Catalog::default();
        // What it binds is known now and does not change.
        catalog.set((**hosted.discovery()).clone());
        let admission = hosted.admission();
        let defaults = frontend_websocket::Settings::default();
        let websocket = frontend_websocket::Settings {
            max_message: rest.max_body.min(defaults.max_message),
            forward: rest.forward.clone(),
            root_path: rest.root_path.clone(),
            keepalive: websocket_ping.unwrap_or(defaults.keepalive),
            tasks: drain.tasks().clone(),
            stop: drain.token().clone(),
            ..defaults
        };
        let control = info::control(report.clone(), health.clone(), &JINA_SERVICES);
        Self {
            control: match node {
                // The other replicas call on the same port.
                Some(node) => control.add_service(node.service()),
                None => control,
            },
            websocket: frontend_websocket::FrontEnd::new(
                catalog.clone(),
                admission.clone(),
                health.clone(),
                report.clone(),
                websocket,
            ),
            http: frontend_http::FrontEnd::new(catalog, admission.clone(), health, report, rest),
            hosted,
        }
    }

    /// One service for each of `n` workers.
    pub(crate) fn services(&self, protocol: Protocol, n: usize) -> Services {
        match protocol {
            Protocol::Grpc => Services::Grpc(vec![self.hosted.grpc(self.control.clone()); n]),
            Protocol::Http => Services::Http(vec![self.http.service(self.hosted.handler()); n]),
            Protocol::WebSocket => Services::WebSocket(vec![self.websocket.port(self.hosted.handler()); n]),
        }
    }
}
