//! The numbers of a tensor, for loops of our own.

use std::ops::{Deref, DerefMut};

use burn::tensor::{Device, Tensor, TensorData};

/// A tensor's numbers, row-major, in the tensor's own memory: neither way is anything copied, unless somebody else holds the
/// tensor too or its rows do not lie one after the other.
///
/// A vector would not do. burn hands out its results in memory that no `Vec<f32>` may take over, and copies them.
#[derive(Debug)]
pub(crate) struct Numbers(TensorData);

/// What is said where burn breaks its word.
const FLOATS: &str = "all tensors here are made from f32";

impl Numbers {
    /// Those of `tensor`.
    pub(crate) fn of<const D: usize>(tensor: Tensor<D>) -> Self {
        Self(tensor.into_data())
    }

    /// A tensor of this shape.
    pub(crate) fn tensor<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D> {
        let (bytes, _, kind) = self.0.into_parts();
        Tensor::from_data(TensorData::from_bytes(bytes, shape, kind), device)
    }
}

impl Deref for Numbers {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.0.as_slice().expect(FLOATS)
    }
}

impl DerefMut for Numbers {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.0.as_mut_slice().expect(FLOATS)
    }
}
