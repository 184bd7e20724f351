//! A TCP proxy that does harm: what is behind it has the network that the test says.

mod pump;

use pump::pump;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// What is wrong with a network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// How long every byte is on its way.
    pub delay: Duration,
    /// How many bytes a second pass, each way.
    pub rate: Option<u32>,
    /// Of so many bytes one arrives with one bit flipped.
    pub flip_one_in: Option<u64>,
    /// Nothing passes, and nobody is told.
    pub silent: bool,
    /// Connections are reset, and new ones as soon as they are there.
    pub cut: bool,
}

/// The kinds of faults, to be counted.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Delay,
    Throttle,
    Flip,
    Silence,
    Cut,
    HalfOpen,
}

impl Kind {
    pub const ALL: [Kind; 6] = [Kind::Delay, Kind::Throttle, Kind::Flip, Kind::Silence, Kind::Cut, Kind::HalfOpen];
}

/// How often each kind has struck.
#[derive(Default)]
pub struct Struck([AtomicU64; Kind::ALL.len()]);

impl Struck {
    pub fn count(&self, kind: Kind) -> u64 {
        self.0[kind as usize].load(Ordering::Relaxed)
    }
    fn one(&self, kind: Kind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }
}
impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Kind::ALL.iter().try_for_each(|kind| write!(f, "{kind:?} {}  ", self.count(*kind)))
    }
}

/// A proxy in front of one address.
pub struct Proxy {
    address: SocketAddr,
    faults: watch::Sender<Faults>,
    half_opened: watch::Sender<()>,
}

impl Proxy {
    /// One with a port of its own, and no faults yet.
    pub fn start(runtime: &Handle, target: SocketAddr, struck: Arc<Struck>) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let (faults, faulty) = watch::channel(Faults::default());
        let (half_opened, half_opening) = watch::channel(());
        let address = listener.local_addr().expect("bound");
        runtime.spawn(async move {
            while let Ok((dialler, _)) = listener.accept().await {
                let link = Link { faults: faulty.clone(), struck: struck.clone() };
                tokio::spawn(link.join(dialler, target, half_opening.clone()));
            }
        });
        Proxy { address, faults, half_opened }
    }
    pub fn port(&self) -> u16 {
        self.address.port()
    }
    /// The network is like this from now on.
    pub fn set(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }
    /// Every connection is reset towards who made it, and stays open, and deaf, towards the other end.
    pub fn half_open(&self) {
        self.half_opened.send_replace(());
    }
}

/// One connection's part of the network.
#[derive(Clone)]
struct Link {
    faults: watch::Receiver<Faults>,
    struck: Arc<Struck>,
}

impl Link {
    /// Carries bytes both ways until both ends are closed, one fails, or a fault ends it.
    async fn join(mut self, mut dialler: TcpStream, target: SocketAddr, mut half_opening: watch::Receiver<()>) {
        let Ok(mut server) = TcpStream::connect(target).await else { return };
        let _ = (dialler.set_nodelay(true), server.set_nodelay(true));
        half_opening.mark_unchanged();
        let cut = {
            let ((from_dialler, to_dialler), (from_server, to_server)) = (dialler.split(), server.split());
            let there = pump(from_dialler, to_server, self.clone());
            let back = pump(from_server, to_dialler, self.clone());
            tokio::select! {
                _ = async { tokio::try_join!(there, back) } => return,
                cut = self.faults.wait_for(|f| f.cut) => if cut.is_ok() { true } else { return },
                half_open = half_opening.changed() => if half_open.is_ok() { false } else { return },
            }
        };
        let _ = dialler.set_zero_linger();
        drop(dialler);
        if cut {
            self.struck.one(Kind::Cut);
            let _ = server.set_zero_linger();
            return;
        }
        self.struck.one(Kind::HalfOpen);
        let mut unheard = [0; 4096];
        while server.read(&mut unheard).await.is_ok_and(|n| n > 0) {}
    }
}
