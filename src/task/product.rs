//! Products of matrices, lane by lane.

use burn::tensor::{Device, Tensor};
use faer::linalg::matmul::matmul;
use faer::prelude::ReborrowMut;
use faer::{Accum, MatMut, MatRef, Par};

use super::device::is_flex;
use super::layers::tensor;
use super::numbers::Numbers;

/// Rows of each lane to be multiplied with a matrix of that lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product<'a> {
    /// `[lanes × rows × inner]`.
    pub(crate) rows: &'a [f32],
    /// `[lanes × inner × columns]`; where it is turned, `[lanes × columns × inner]`.
    pub(crate) matrices: &'a [f32],
    /// Whether a lane's columns lie one after the other, rather than its rows.
    pub(crate) is_turned: bool,
    /// Trials.
    pub(crate) lanes: usize,
    /// Numbers in a row.
    pub(crate) inner: usize,
    /// Numbers in a row of the product.
    pub(crate) columns: usize,
}

/// Numbers of a row that are summed in one piece; of longer rows, pieces as even as can be are added up. So does burn-flex.
const LONGEST_SUM: usize = 512;

/// burn-flex takes sums of other orders where so few numbers come out of a turned matrix.
const FEW: usize = 256;

impl Product<'_> {
    /// Rows of each lane.
    fn count(&self) -> usize {
        self.rows.len() / (self.lanes * self.inner).max(1)
    }

    /// Writes the products to `to`, `[lanes × rows × columns]`.
    pub(crate) fn write(&self, to: &mut [f32], device: &Device) {
        if self.is_direct(device) {
            self.accumulate(to, Accum::Replace);
        } else {
            to.copy_from_slice(&self.by_burn(device));
        }
    }

    /// Adds them to what is there.
    pub(crate) fn add(&self, to: &mut [f32], device: &Device) {
        if self.is_direct(device) && self.inner <= LONGEST_SUM {
            self.accumulate(to, Accum::Add);
        } else {
            let mut products = vec![0.0; to.len()];
            self.write(&mut products, device);
            to.iter_mut().zip(products).for_each(|(to, product)| *to += product);
        }
    }

    /// Whether the numbers go straight to where they belong. burn hands products out in memory of its own, which it fills with zeros
    /// first and copies in the end: a tenth of the time that a step of a transformer takes. Both give the same to the bit, where
    /// this says so.
    fn is_direct(&self, device: &Device) -> bool {
        let (count, columns) = (self.count(), self.columns);
        is_flex(device) && self.inner > 2 && columns > 1 && count > 1 && (!self.is_turned || count * columns > FEW)
    }

    fn accumulate(&self, to: &mut [f32], first: Accum) {
        let (count, &Self { inner, columns, .. }) = (self.count(), self);
        let piece = inner.div_ceil(inner.div_ceil(LONGEST_SUM));
        let lanes = self.rows.chunks_exact(count * inner).zip(self.matrices.chunks_exact(inner * columns));
        for (to, (rows, matrix)) in to.chunks_exact_mut(count * columns).zip(lanes) {
            let rows = MatRef::from_row_major_slice(rows, count, inner);
            let matrix = if self.is_turned {
                MatRef::from_row_major_slice(matrix, columns, inner).transpose()
            } else {
                MatRef::from_row_major_slice(matrix, inner, columns)
            };
            let mut to = MatMut::from_row_major_slice_mut(to, count, columns);
            for from in (0..inner).step_by(piece) {
                let length = piece.min(inner - from);
                let accumulate = if from == 0 { first } else { Accum::Add };
                let (rows, matrix) = (rows.subcols(from, length), matrix.subrows(from, length));
                matmul(to.rb_mut(), accumulate, rows, matrix, 1.0, Par::Seq);
            }
        }
    }

    fn by_burn(&self, device: &Device) -> Numbers {
        let &Self { lanes, inner, columns, .. } = self;
        let rows: Tensor<3> = tensor(self.rows.to_vec(), [lanes, self.count(), inner], device);
        let matrices = self.matrices.to_vec();
        Numbers::of(rows.matmul(if self.is_turned {
            tensor::<3>(matrices, [lanes, columns, inner], device).transpose()
        } else {
            tensor(matrices, [lanes, inner, columns], device)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DeviceKind;
    use crate::task::device::device;
    use crate::task::random::{self, Purpose};

    /// In double precision, of one lane.
    fn expected(product: &Product<'_>, row: usize, column: usize, lane: usize) -> f64 {
        let &Product { rows, matrices, is_turned, inner, columns, .. } = product;
        let rows = &rows[(lane * product.count() + row) * inner..][..inner];
        let matrix = &matrices[lane * inner * columns..][..inner * columns];
        let of = |place: usize| matrix[if is_turned { column * inner + place } else { place * columns + column }];
        rows.iter().enumerate().map(|(place, &number)| f64::from(number) * f64::from(of(place))).sum()
    }

    #[test]
    fn products_are_those_of_the_formula_whoever_takes_them() {
        const LANES: usize = 2;
        let mut rng = random::stream(3, Purpose::Weights, 0);
        let mut numbers = |count: usize| (0..count).map(|_| random::standard_normal(&mut rng) as f32).collect::<Vec<f32>>();
        // Vectors on either side, a sum of two, few and many products, and sums in one, two and three pieces.
        for (count, inner, columns) in
            [(1, 5, 4), (5, 2, 4), (5, 7, 1), (4, 9, 6), (40, 33, 17), (3, 512, 9), (30, 600, 40), (7, 1100, 5)]
        {
            for (is_turned, on) in [(false, DeviceKind::Flex), (true, DeviceKind::Flex), (true, DeviceKind::Ndarray)] {
                let (rows, matrices) = (numbers(LANES * count * inner), numbers(LANES * inner * columns));
                let product = Product { rows: &rows, matrices: &matrices, is_turned, lanes: LANES, inner, columns };
                let (mut written, mut added) = (vec![7.0; LANES * count * columns], vec![1.0; LANES * count * columns]);
                product.write(&mut written, &device(on));
                product.add(&mut added, &device(on));
                for (at, (&written, &added)) in written.iter().zip(&added).enumerate() {
                    let (lane, row, column) = (at / columns / count, at / columns % count, at % columns);
                    let expected = expected(&product, row, column, lane);
                    let what = format!("{count} × {inner} × {columns}, turned {is_turned}, {on}, number {at}");
                    assert!((f64::from(written) - expected).abs() < 1e-4 * (inner as f64).sqrt(), "{what}");
                    assert_eq!((written + 1.0).to_bits(), added.to_bits(), "{what}");
                }
            }
        }
    }
}
