#[derive(Default)]
pub struct Mine;
#[bb::component]
impl Mine {
    pub fn new() -> Self { Mine }
}
fn main() { Mine::new(); }
