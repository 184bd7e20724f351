//! The element types with arithmetic, and code that is the same for all of them.

use bb::ir::value::Scalar;

/// Arithmetic that never panics.
pub trait Number: Scalar<Plain = Self> + bytemuck::Pod + PartialOrd {
    const ZERO: Self;
    const ONE: Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// `None` where an integer is divided by zero.
    fn div(self, other: Self) -> Option<Self>;
    fn from_count(count: usize) -> Self;
    fn is_nan(self) -> bool {
        false
    }
}
macro_rules! integers { ($($t:ty)*) => { $(impl Number for $t {
    const ZERO: $t = 0;
    const ONE: $t = 1;
    fn add(self, other: $t) -> $t { self.wrapping_add(other) }
    fn sub(self, other: $t) -> $t { self.wrapping_sub(other) }
    fn mul(self, other: $t) -> $t { self.wrapping_mul(other) }
    fn div(self, other: $t) -> Option<$t> { (other != 0).then(|| self.wrapping_div(other)) }
    fn from_count(count: usize) -> $t { count as $t }
})* } }
integers!(i8 i16 i32 i64 u8 u16 u32 u64);
macro_rules! floats { ($($t:ty)*) => { $(impl Number for $t {
    const ZERO: $t = 0.0;
    const ONE: $t = 1.0;
    fn add(self, other: $t) -> $t { self + other }
    fn sub(self, other: $t) -> $t { self - other }
    fn mul(self, other: $t) -> $t { self * other }
    fn div(self, other: $t) -> Option<$t> { Some(self / other) }
    fn from_count(count: usize) -> $t { count as $t }
    fn is_nan(self) -> bool { <$t>::is_nan(self) }
})* } }
floats!(f32 f64);

/// Runs `$body` with `$e` as the element type of `$tensor`, where that is one of the listed kinds.
macro_rules! by_element {
    ($op:expr, $tensor:expr, [$($kind:ident $t:ty),*], $e:ident => $body:expr) => {
        match $tensor.element() {
            $(bb::ir::types::ElementKind::$kind => { type $e = $t; $body })*
            #[allow(unreachable_patterns)]
            other => Err($crate::cpu::array::unsupported($op, other)),
        }
    };
}
/// All numbers.
macro_rules! by_number {
    ($op:expr, $tensor:expr, $e:ident => $body:expr) => {
        $crate::cpu::number::by_element!(
            $op, $tensor,
            [F32 f32, F64 f64, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64],
            $e => $body
        )
    };
}
/// Floats.
macro_rules! by_float {
    ($op:expr, $tensor:expr, $e:ident => $body:expr) => {
        $crate::cpu::number::by_element!($op, $tensor, [F32 f32, F64 f64], $e => $body)
    };
}
pub(crate) use {by_element, by_float, by_number};
