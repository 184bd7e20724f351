//! Who has how much of what all share: frames, and the bytes of the values in them.
//!
//! A frame is its that sent the message which opened it. A peer may take more as long as it holds less than is free (the
//! dynamic thresholds of Choudhury and Hahne, 1998): alone it gets half, beside others less, and there is always some room
//! for the next one and for this node's own calls, which are held to the whole alone.

use super::peers::PeerIx;

/// Whose a frame is: the peer whose message opened it, or nobody else's.
pub type Holder = Option<PeerIx>;

#[derive(Clone, Copy, Default)]
struct Share {
    frames: usize,
    bytes: u64,
}

pub struct Shares {
    frames_max: usize,
    bytes_max: u64,
    all: Share,
    by_peer: Vec<Share>,
}

impl Shares {
    pub fn new(frames_max: usize, bytes_max: u64) -> Self {
        Shares { frames_max, bytes_max, all: Share::default(), by_peer: Vec::new() }
    }
    /// Bytes of values in all frames.
    pub fn bytes(&self) -> u64 {
        self.all.bytes
    }
    fn of(&self, holder: Holder) -> Share {
        holder.and_then(|peer| self.by_peer.get(peer.0 as usize)).copied().unwrap_or_default()
    }
    fn of_mut(&mut self, peer: PeerIx) -> &mut Share {
        let number = peer.0 as usize;
        if number >= self.by_peer.len() {
            self.by_peer.resize(number + 1, Share::default());
        }
        &mut self.by_peer[number]
    }

    /// Whether another frame may open.
    pub fn has_place(&self, holder: Holder) -> bool {
        self.of(holder).frames < self.frames_max.saturating_sub(self.all.frames)
    }
    /// Whether values of so many bytes may be written into a frame.
    #[inline]
    pub fn has_room(&self, holder: Holder, bytes: u64) -> bool {
        // Nobody holds more than is free as long as half of it is.
        let all = self.all.bytes.saturating_add(bytes);
        all <= self.bytes_max / 2 || bytes == 0 || (all <= self.bytes_max && self.has_share(holder))
    }
    fn has_share(&self, holder: Holder) -> bool {
        self.of(holder).bytes < self.bytes_max - self.all.bytes
    }

    pub fn opened(&mut self, holder: Holder) {
        self.all.frames += 1;
        if let Some(peer) = holder {
            self.of_mut(peer).frames += 1;
        }
    }
    pub fn ended(&mut self, holder: Holder) {
        self.all.frames -= 1;
        if let Some(peer) = holder {
            self.of_mut(peer).frames -= 1;
        }
    }
    /// Values are written into a frame, and others are taken out of it.
    #[inline]
    pub fn charge(&mut self, holder: Holder, written: u64, taken: u64) {
        self.all.bytes = self.all.bytes + written - taken;
        if let Some(peer) = holder {
            let share = self.of_mut(peer);
            share.bytes = share.bytes + written - taken;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_gets_half_two_a_third_each_and_nobody_all_but_the_node_itself() {
        let mut shares = Shares::new(1000, 1000);
        let [a, b] = [0, 7].map(|n| Some(PeerIx(n)));
        let take = |shares: &mut Shares, holder| {
            let mut taken = [0, 0];
            while shares.has_place(holder) {
                shares.opened(holder);
                taken[0] += 1;
            }
            while shares.has_room(holder, 1) {
                shares.charge(holder, 1, 0);
                taken[1] += 1;
            }
            taken
        };
        assert_eq!(take(&mut shares, a), [500, 500]);
        assert_eq!(take(&mut shares, b), [250, 250]);
        assert_eq!(take(&mut shares, a), [0, 0]);
        for _ in 0..200 {
            shares.ended(a);
        }
        shares.charge(a, 0, 200);
        assert_eq!((take(&mut shares, a), take(&mut shares, b)), ([75, 75], [63, 63]));
        assert_eq!((take(&mut shares, None), shares.bytes()), ([312, 312], 1000));
        assert!(shares.has_room(a, 0) && !shares.has_room(None, 1) && !shares.has_place(None));
    }

    #[test]
    fn a_value_may_be_larger_than_what_is_left_behind_it_but_not_than_what_is_there() {
        let shares = Shares::new(1, 1000);
        let peer = Some(PeerIx(0));
        assert!(shares.has_place(peer) && shares.has_room(peer, 1000) && !shares.has_room(peer, 1001));
        assert!(!shares.has_room(None, u64::MAX));
    }
}
