//! Many bb engines under one virtual clock and a faulty network.
