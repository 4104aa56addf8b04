//! Random changes to the images that training shows: flips and shifts.

use rand::Rng;

use super::data::ExampleShape;
use super::random::below;
use crate::config::AugmentPlan;

/// How images are changed.
#[derive(Debug)]
pub(crate) struct Augment {
    plan: AugmentPlan,
    height: usize,
    width: usize,
    /// Numbers in an image.
    size: usize,
}

impl Augment {
    /// Changes to examples of this shape.
    ///
    /// # Errors
    /// When they are no images, or smaller than the shift: the message.
    pub(crate) fn new(plan: AugmentPlan, shape: ExampleShape) -> Result<Self, String> {
        let ExampleShape::Image { channels, height, width } = shape else {
            return Err("augment is for images, and these examples are none: leave it out".to_owned());
        };
        let smallest = height.min(width);
        if plan.crop >= smallest {
            return Err(format!(
                "augment shifts images of {height} × {width} pixels by up to crop = {} and may leave nothing of them: \
                 write a crop below {smallest}",
                plan.crop
            ));
        }
        Ok(Self { plan, height, width, size: channels * height * width })
    }

    /// Changes `images`, one after the other: shifts each by up to `crop` pixels in both directions, with zeros where nothing is
    /// left (as cropping a padded image does), and flips half of them.
    pub(crate) fn apply(&self, images: &mut [f32], rng: &mut impl Rng) {
        let mut original = Vec::with_capacity(self.size);
        for image in images.chunks_exact_mut(self.size) {
            let mut shift = || below(2 * self.plan.crop + 1, rng).cast_signed() - self.plan.crop.cast_signed();
            let shift = if self.plan.crop == 0 { [0, 0] } else { [shift(), shift()] };
            let flipped = self.plan.flip && below(2, rng) == 1;
            original.clear();
            original.extend_from_slice(image);
            self.redraw(image, &original, shift, flipped);
        }
    }

    /// Draws `original` anew, `down` rows and `right` columns further on, and then flipped from left to right or not.
    fn redraw(&self, image: &mut [f32], original: &[f32], [down, right]: [isize; 2], flipped: bool) {
        let (height, width) = (self.height, self.width);
        for (plane, original) in image.chunks_exact_mut(height * width).zip(original.chunks_exact(height * width)) {
            for (y, row) in plane.chunks_exact_mut(width).enumerate() {
                let source = y.checked_sub_signed(down).filter(|&y| y < height);
                let source = source.map_or(&[][..], |y| &original[y * width..(y + 1) * width]);
                for (x, pixel) in row.iter_mut().enumerate() {
                    let x = if flipped { width - 1 - x } else { x };
                    *pixel = x.checked_sub_signed(right).and_then(|x| source.get(x)).copied().unwrap_or(0.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::random::{Purpose, stream};

    const SHAPE: ExampleShape = ExampleShape::Image { channels: 2, height: 2, width: 3 };
    /// Two planes of two rows.
    const IMAGE: [f32; 12] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0];

    fn redrawn(shift: [isize; 2], flipped: bool) -> [f32; 12] {
        let augment = Augment::new(AugmentPlan { flip: true, crop: 1 }, SHAPE).unwrap();
        let mut image = [9.0; 12];
        augment.redraw(&mut image, &IMAGE, shift, flipped);
        image
    }

    #[test]
    fn images_are_shifted_and_flipped() {
        assert_eq!(redrawn([0, 0], false), IMAGE);
        assert_eq!(redrawn([0, 0], true), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0, 30.0, 20.0, 10.0, 60.0, 50.0, 40.0]);
        assert_eq!(redrawn([1, 1], false), [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 10.0, 20.0]);
        assert_eq!(redrawn([-1, -1], false), [5.0, 6.0, 0.0, 0.0, 0.0, 0.0, 50.0, 60.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(redrawn([0, 1], true), [2.0, 1.0, 0.0, 5.0, 4.0, 0.0, 20.0, 10.0, 0.0, 50.0, 40.0, 0.0]);
    }

    /// 9,000 images with the pixels 1 to 9, changed.
    fn changed(plan: AugmentPlan) -> Vec<f32> {
        let shape = ExampleShape::Image { channels: 1, height: 3, width: 3 };
        let mut images = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0].repeat(9000);
        Augment::new(plan, shape).unwrap().apply(&mut images, &mut stream(1, Purpose::Augment, 0));
        images
    }

    #[test]
    fn every_shift_is_as_likely() {
        let mut counts = [0; 10];
        // Which pixel has come to the middle tells the shift.
        changed(AugmentPlan { flip: false, crop: 1 }).chunks_exact(9).for_each(|image| counts[image[4] as usize] += 1);
        assert!(counts[0] == 0 && counts[1..].iter().all(|n| (880..1120).contains(n)), "{counts:?}");
    }

    #[test]
    fn half_the_images_are_flipped() {
        let images = changed(AugmentPlan { flip: true, crop: 0 });
        let flipped = images.chunks_exact(9).filter(|image| image[0] == 3.0).count();
        assert!((4300..4700).contains(&flipped), "{flipped}");
        assert!(images.chunks_exact(9).all(|image| [[1.0, 3.0], [3.0, 1.0]].contains(&[image[0], image[2]])));
    }

    #[test]
    fn says_what_it_cannot_change() {
        let refusal = |crop, shape| Augment::new(AugmentPlan { flip: false, crop }, shape).unwrap_err();
        assert!(refusal(1, ExampleShape::Flat).contains("is for images"));
        assert!(refusal(2, SHAPE).contains("a crop below 2"));
    }
}
