//! One direction of a connection.

use super::{Kind, Link};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// What is on its way at most, in pieces of so many bytes.
const PIECES_MAX: usize = 256;
const PIECE_BYTES: usize = 4096;

/// Carries bytes until there are no more, and tells the other end.
pub async fn pump(from: ReadHalf<'_>, to: WriteHalf<'_>, link: Link) -> io::Result<()> {
    let (pieces, arriving) = mpsc::channel(PIECES_MAX);
    tokio::try_join!(depart(from, pieces, link), arrive(to, arriving))?;
    Ok(())
}

/// A piece, and when it arrives.
type Piece = (Instant, Vec<u8>);

async fn depart(mut from: ReadHalf<'_>, pieces: mpsc::Sender<Piece>, mut link: Link) -> io::Result<()> {
    let (mut free, mut passed) = (Instant::now(), 0);
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let n = from.read(&mut piece).await?;
        if n == 0 {
            return Ok(());
        }
        piece.truncate(n);
        let mut faults = *link.faults.borrow();
        if faults.silent {
            link.struck.one(Kind::Silence);
            // The proxy is gone with the test.
            let Ok(again) = link.faults.wait_for(|f| !f.silent).await else { return Ok(()) };
            faults = *again;
        }
        free = free.max(Instant::now());
        if let Some(rate) = faults.rate {
            free += Duration::from_secs(1) * n as u32 / rate;
            link.struck.one(Kind::Throttle);
        }
        if let Some(every) = faults.flip_one_in {
            let before = passed;
            passed += n as u64;
            if passed / every > before / every {
                let at = (passed / every * every - before - 1) as usize;
                piece[at] ^= 1 << (at % 8);
                link.struck.one(Kind::Flip);
            }
        }
        if !faults.delay.is_zero() {
            link.struck.one(Kind::Delay);
        }
        if pieces.send((free + faults.delay, piece)).await.is_err() {
            return Ok(());
        }
    }
}

async fn arrive(mut to: WriteHalf<'_>, mut pieces: mpsc::Receiver<Piece>) -> io::Result<()> {
    while let Some((at, piece)) = pieces.recv().await {
        sleep_until(at).await;
        to.write_all(&piece).await?;
    }
    to.shutdown().await
}
