#[bb::role]
pub trait Counter {
    fn count(&mut self, n: usize) -> Option<u64>;
    fn pair(&mut self, n: u64) -> (u64, usize);
    fn checked(&mut self, n: u64) -> Result<usize, String>;
}
fn main() {}
