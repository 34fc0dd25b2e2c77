//! The few vector operations that the loops need, in either precision.

use std::fmt::Debug;
use std::ops::Neg;

use pulp::Simd;

/// `f32` or `f64`.
pub trait Float:
    Copy + PartialOrd + Neg<Output = Self> + Debug + Send + Sync + sealed::Lanes
{
    /// 0.
    const ZERO: Self;
    /// More than any number.
    const INFINITY: Self;
}

impl Float for f32 {
    const ZERO: Self = 0.0;
    const INFINITY: Self = Self::INFINITY;
}

impl Float for f64 {
    const ZERO: Self = 0.0;
    const INFINITY: Self = Self::INFINITY;
}

pub(crate) mod sealed {
    use super::Simd;

    /// A vector register of numbers, on the processor that `S` stands for.
    pub trait Lanes: Sized {
        type Vector<S: Simd>: Copy;
        type Mask<S: Simd>: Copy;

        /// Numbers in a vector: a power of two, at most 16.
        fn lanes<S: Simd>() -> usize;
        fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
        /// The whole vectors that `values` hold.
        fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];
        fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Vector<S>];
        /// `a b + c`, rounded once or twice.
        fn mul_add<S: Simd>(
            simd: S,
            a: Self::Vector<S>,
            b: Self::Vector<S>,
            c: Self::Vector<S>,
        ) -> Self::Vector<S>;
        fn max<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
        /// Where `a >= b`.
        fn at_least<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
        fn or<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S>;
        fn any<S: Simd>(simd: S, mask: Self::Mask<S>) -> bool;
    }
}

macro_rules! lanes {
    ($float:ty, $vector:ident, $mask:ident, $lanes:ident, $splat:ident, $vectors:ident,
     $vectors_mut:ident, $mul_add:ident, $max:ident, $at_least:ident, $or:ident, $first:ident) => {
        impl sealed::Lanes for $float {
            type Vector<S: Simd> = S::$vector;
            type Mask<S: Simd> = S::$mask;

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vector] {
                S::$vectors(values).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$vector] {
                S::$vectors_mut(values).0
            }

            #[inline(always)]
            fn mul_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn max<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$max(a, b)
            }

            #[inline(always)]
            fn at_least<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$mask {
                simd.$at_least(a, b)
            }

            #[inline(always)]
            fn or<S: Simd>(simd: S, a: S::$mask, b: S::$mask) -> S::$mask {
                simd.$or(a, b)
            }

            #[inline(always)]
            fn any<S: Simd>(simd: S, mask: S::$mask) -> bool {
                simd.$first(mask) < S::$lanes
            }
        }
    };
}

lanes!(
    f32,
    f32s,
    m32s,
    F32_LANES,
    splat_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    mul_add_e_f32s,
    max_f32s,
    greater_than_or_equal_f32s,
    or_m32s,
    first_true_m32s
);
lanes!(
    f64,
    f64s,
    m64s,
    F64_LANES,
    splat_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    mul_add_e_f64s,
    max_f64s,
    greater_than_or_equal_f64s,
    or_m64s,
    first_true_m64s
);
