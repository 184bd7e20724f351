//! bb engines over tokio and libp2p.
