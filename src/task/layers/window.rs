//! Where the windows of a convolution or a pooling lie.

use std::ops::Range;

/// Windows over an image that lies channels-last. A sequence is an image of height 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Height and width of what comes in.
    pub(crate) input: [usize; 2],
    /// Height and width of a window.
    pub(crate) size: [usize; 2],
    /// From one window to the next, down and across.
    pub(crate) stride: [usize; 2],
    /// Rows and columns added on every side.
    pub(crate) padding: [usize; 2],
}

impl Window {
    /// Height and width of what comes out, as in PyTorch; `None` where a window is larger than the padded image.
    pub(crate) fn output(&self) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let room = (self.input[axis] + 2 * self.padding[axis]).checked_sub(self.size[axis])?;
            Some(room / self.stride[axis] + 1)
        };
        Some([along(0)?, along(1)?])
    }

    /// Positions that come in.
    pub(crate) fn inputs(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Positions that come out.
    pub(crate) fn outputs(&self) -> usize {
        self.output().map_or(0, |[height, width]| height * width)
    }

    /// Positions of a window.
    pub(crate) fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Calls `visit` for every row of every window that has a part within the image: with the window's number, the place in
    /// the window at which that part begins, and the positions of the image that it covers.
    #[inline(always)]
    pub(crate) fn rows(&self, mut visit: impl FnMut(usize, usize, Range<usize>)) {
        let [height, width] = self.output().unwrap_or_default();
        for (window, (down, across)) in (0..height).flat_map(|down| (0..width).map(move |across| (down, across))).enumerate() {
            let columns = self.within(1, across);
            for y in self.within(0, down) {
                let place = (y + self.padding[0] - down * self.stride[0]) * self.size[1] + columns.start + self.padding[1]
                    - across * self.stride[1];
                let row = y * self.input[1];
                visit(window, place, row + columns.start..row + columns.end);
            }
        }
    }

    /// The rows (axis 0) or columns (axis 1) of the image that the `index`th window along the axis covers.
    #[inline(always)]
    pub(crate) fn within(&self, axis: usize, index: usize) -> Range<usize> {
        let start = index * self.stride[axis];
        let end = (start + self.size[axis]).saturating_sub(self.padding[axis]).min(self.input[axis]);
        start.saturating_sub(self.padding[axis]).min(end)..end
    }
}
