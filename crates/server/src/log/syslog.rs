//! The system's log: a datagram for each line.

use std::io;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

use config::Level;

/// A connection to the system's log.
#[derive(Debug)]
pub(super) struct Syslog {
    socket: Socket,
    ident: String,
}

#[derive(Debug)]
enum Socket {
    Local(UnixDatagram),
    Remote(UdpSocket),
}

/// Where every Linux system has it.
const LOCAL: &str = "/dev/log";

/// What messages of programs count as.
const USER: u8 = 1;

impl Syslog {
    pub(super) fn open(ident: &str, address: Option<&(String, u16)>) -> io::Result<Self> {
        let socket = match address {
            Some((host, port)) => {
                let socket = UdpSocket::bind(("0.0.0.0", 0))?;
                socket.connect((host.as_str(), *port))?;
                Socket::Remote(socket)
            }
            None => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(LOCAL)?;
                // The process must not wait for whoever keeps the system's log.
                socket.set_nonblocking(true)?;
                Socket::Local(socket)
            }
        };
        Ok(Self { socket, ident: ident.to_owned() })
    }

    /// What does not fit into a datagram, or the socket, is lost.
    pub(super) fn send(&self, level: Level, line: &str) -> io::Result<usize> {
        let severity = match level {
            Level::Debug => 7,
            Level::Info | Level::Success => 6,
            Level::Warning => 4,
            Level::Error => 3,
            Level::Critical => 2,
        };
        let message = format!("<{}>{}{line}\0", USER << 3 | severity, self.ident);
        match &self.socket {
            Socket::Local(socket) => socket.send(message.as_bytes()),
            Socket::Remote(socket) => socket.send(message.as_bytes()),
        }
    }
}
