//! The drawing surface: shapes, text, colours and sizes, and the way from there to PNG bytes.
//!
//! Shapes are drawn by plotters on a surface several times as fine as the picture and averaged down, which smooths every edge alike;
//! text goes on top at full resolution.

use plotters::prelude::{BitMapBackend, DrawingBackend};
use plotters::style::RGBAColor;

use super::PlotError;
use super::text::{self, TextStyle};

/// Width of a picture in pixels.
pub const WIDTH: u32 = 1600;
/// Height of a picture in pixels.
pub const HEIGHT: u32 = 1000;

/// Fineness of the surface for shapes, in its pixels per pixel of the picture.
const FINE: u32 = 3;

/// A colour: red, green, blue.
pub type Rgb = (u8, u8, u8);

/// The ground.
pub const WHITE: Rgb = (255, 255, 255);
/// Text and the answer itself.
pub const INK: Rgb = (28, 30, 34);
/// Text of lesser weight.
pub const GREY: Rgb = (98, 103, 112);
/// Grid lines.
pub const GRID: Rgb = (231, 233, 237);
// From the palette of Okabe & Ito (2008), which stays distinct for the common kinds of colour blindness.
/// What is measured first of all.
pub const BLUE: Rgb = (0, 114, 178);
/// What is good.
pub const GREEN: Rgb = (0, 132, 96);
/// What is unstable.
pub const RED: Rgb = (196, 64, 24);
/// One more thing.
pub const PURPLE: Rgb = (166, 70, 130);
/// What is measured next.
pub const ORANGE: Rgb = (214, 137, 0);

/// Size of the title's text.
pub const TITLE: f64 = 44.0;
/// Size of ordinary text.
pub const BODY: f64 = 28.0;
/// Size of tick labels and keys.
pub const SMALL: f64 = 25.0;

/// A point on the picture in pixels, from the upper left.
pub type Point = (f64, f64);

/// A rectangle on the picture in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "each field's name says it")]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    /// Width in pixels.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Height in pixels.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// The middle.
    pub fn centre(&self) -> Point {
        (f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom))
    }
}

/// A text that waits until the shapes are done.
#[derive(Debug)]
struct Label {
    text: String,
    at: Point,
    style: TextStyle,
}

/// A white picture to draw on.
#[derive(Debug)]
pub struct Canvas {
    fine: Vec<u8>,
    labels: Vec<Label>,
    fault: Option<String>,
}

impl Default for Canvas {
    fn default() -> Self {
        Self::new()
    }
}

impl Canvas {
    /// A blank picture.
    pub fn new() -> Self {
        let bytes = 3 * (WIDTH * FINE) as usize * (HEIGHT * FINE) as usize;
        Self { fine: vec![255; bytes], labels: Vec::new(), fault: None }
    }

    /// Fills a polygon with a colour of this opacity.
    pub fn polygon(&mut self, corners: &[Point], color: Rgb, opacity: f64) {
        let corners: Vec<_> = corners.iter().map(|&p| fine_point(p)).collect();
        let style = paint(color, opacity);
        let result = self.surface().fill_polygon(corners, &style).map_err(|e| e.to_string());
        self.note(result);
    }

    /// Fills a rectangle with a colour of this opacity.
    pub fn rect(&mut self, area: Area, color: Rgb, opacity: f64) {
        let (from, to) = (fine_point((area.left, area.top)), fine_point((area.right, area.bottom)));
        if from.0 < to.0 && from.1 < to.1 {
            let style = paint(color, opacity);
            let result = self.surface().draw_rect(from, (to.0 - 1, to.1 - 1), &style, true).map_err(|e| e.to_string());
            self.note(result);
        }
    }

    /// A disc of this radius in pixels.
    pub fn disc(&mut self, at: Point, radius: f64, color: Rgb) {
        let radius = (radius * f64::from(FINE)).round() as u32;
        let result = self.surface().draw_circle(fine_point(at), radius, &paint(color, 1.0), true).map_err(|e| e.to_string());
        self.note(result);
    }

    /// A line through `points`, `width` pixels thick, with round ends and corners.
    pub fn line(&mut self, points: &[Point], width: f64, color: Rgb) {
        for pair in points.windows(2) {
            self.segment(pair[0], pair[1], width, color);
        }
        // Thin lines need no rounding: a corner there is smaller than a pixel.
        if width > 1.5 {
            for &point in points {
                self.disc(point, width / 2.0, color);
            }
        }
    }

    /// A line of dashes `on` pixels long with gaps of `off` pixels.
    pub fn dashed(&mut self, points: &[Point], width: f64, (on, off): (f64, f64), color: Rgb) {
        let mut phase = 0.0;
        for pair in points.windows(2) {
            let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            let length = dx.hypot(dy);
            let at = |d: f64| (pair[0].0 + dx * d / length, pair[0].1 + dy * d / length);
            let mut done = 0.0;
            while done < length {
                let rest = if phase < on { on - phase } else { on + off - phase };
                let next = (done + rest).min(length);
                if phase < on {
                    self.segment(at(done), at(next), width, color);
                }
                phase = (phase + (next - done)) % (on + off);
                // A remainder lost to rounding must not hold the loop.
                done = if next > done { next } else { length };
            }
        }
    }

    /// A diagonal cross in a square of side `size`.
    pub fn cross(&mut self, (x, y): Point, size: f64, width: f64, color: Rgb) {
        let h = size / 2.0;
        self.line(&[(x - h, y - h), (x + h, y + h)], width, color);
        self.line(&[(x - h, y + h), (x + h, y - h)], width, color);
    }

    /// A triangle that points up, in a square of side `size`.
    pub fn triangle(&mut self, (x, y): Point, size: f64, color: Rgb) {
        let h = size / 2.0;
        self.polygon(&[(x, y - h), (x + h, y + h), (x - h, y + h)], color, 1.0);
    }

    /// A square of diagonal `size`, standing on a corner.
    pub fn diamond(&mut self, (x, y): Point, size: f64, color: Rgb) {
        let h = size / 2.0;
        self.polygon(&[(x, y - h), (x + h, y), (x, y + h), (x - h, y)], color, 1.0);
    }

    /// Diagonal hatching over a rectangle.
    pub fn hatch(&mut self, area: Area, spacing: f64, color: Rgb) {
        let reach = area.width() + area.height();
        let mut offset = spacing;
        while offset < reach {
            // The line x − left + y − top = offset, cut to the rectangle.
            let from = (offset - area.height()).max(0.0);
            let to = offset.min(area.width());
            let y = |x: f64| area.top + offset - x;
            self.line(&[(area.left + from, y(from)), (area.left + to, y(to))], 1.2, color);
            offset += spacing;
        }
    }

    /// A text; see [`TextStyle`] for how it lies about its point.
    pub fn text(&mut self, text: impl Into<String>, at: Point, style: TextStyle) {
        self.labels.push(Label { text: text.into(), at, style });
    }

    /// The picture as PNG.
    ///
    /// # Errors
    /// When a shape could not be drawn, or the pixels cannot be encoded.
    pub fn finish(self) -> Result<Vec<u8>, PlotError> {
        if let Some(fault) = self.fault {
            return Err(PlotError::Draw(fault));
        }
        let mut pixels = averaged(&self.fine);
        // All grounds before all texts, so that none wipes out a neighbour.
        for label in &self.labels {
            if let Some(ground) = label.style.halo {
                halo_offsets().for_each(|by| write(&mut pixels, label, by, ground));
            }
        }
        for label in &self.labels {
            write(&mut pixels, label, (0.0, 0.0), label.style.color);
        }
        encode(&pixels)
    }

    fn surface(&mut self) -> BitMapBackend<'_> {
        BitMapBackend::with_buffer(&mut self.fine, (WIDTH * FINE, HEIGHT * FINE))
    }

    fn note(&mut self, result: Result<(), String>) {
        if let Err(fault) = result {
            self.fault.get_or_insert(fault);
        }
    }

    fn segment(&mut self, a: Point, b: Point, width: f64, color: Rgb) {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy);
        if length > 0.0 && length.is_finite() {
            let (nx, ny) = (-dy / length * width / 2.0, dx / length * width / 2.0);
            self.polygon(&[(a.0 + nx, a.1 + ny), (b.0 + nx, b.1 + ny), (b.0 - nx, b.1 - ny), (a.0 - nx, a.1 - ny)], color, 1.0);
        }
    }
}

/// Where copies of a text lie that together make its halo: two rings.
fn halo_offsets() -> impl Iterator<Item = Point> {
    const RADIUS: f64 = 7.0;
    let turn = |k: i32| f64::from(k) * std::f64::consts::TAU / 12.0;
    (0..12).flat_map(move |k| [0.5, 1.0].map(|share| (share * RADIUS * turn(k).cos(), share * RADIUS * turn(k).sin())))
}

fn write(pixels: &mut [u8], label: &Label, (dx, dy): Point, color: Rgb) {
    text::draw(&label.text, &label.style, (label.at.0 + dx, label.at.1 + dy), |x, y, covered| {
        blend(pixels, x, y, color, covered);
    });
}

/// `color` mixed with white: `share` of 1 is the colour itself.
pub fn tint(color: Rgb, share: f64) -> Rgb {
    mix(WHITE, color, share)
}

/// The colour `share` of the way from `a` to `b`.
pub(super) fn mix(a: Rgb, b: Rgb, share: f64) -> Rgb {
    let channel = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share.clamp(0.0, 1.0)).round() as u8;
    (channel(a.0, b.0), channel(a.1, b.1), channel(a.2, b.2))
}

fn paint((r, g, b): Rgb, opacity: f64) -> RGBAColor {
    RGBAColor(r, g, b, opacity)
}

/// A point on the fine surface. Points far outside are drawn in to its surroundings: plotters walks every row of a shape.
fn fine_point((x, y): Point) -> (i32, i32) {
    let on = |v: f64, size: u32| (v * f64::from(FINE)).round().clamp(-f64::from(size), f64::from(2 * FINE * size)) as i32;
    (on(x, WIDTH), on(y, HEIGHT))
}

/// Each pixel of the picture as the mean of its square on the fine surface.
fn averaged(fine: &[u8]) -> Vec<u8> {
    let (row, side) = ((3 * WIDTH * FINE) as usize, FINE as usize);
    let mut pixels = Vec::with_capacity((3 * WIDTH * HEIGHT) as usize);
    let mut sums = vec![0u32; 3 * WIDTH as usize];
    for rows in fine.chunks_exact(row * side) {
        sums.fill(0);
        for line in rows.chunks_exact(row) {
            for (sum, square) in sums.chunks_exact_mut(3).zip(line.chunks_exact(3 * side)) {
                for pixel in square.chunks_exact(3) {
                    for (sum, channel) in sum.iter_mut().zip(pixel) {
                        *sum += u32::from(*channel);
                    }
                }
            }
        }
        pixels.extend(sums.iter().map(|sum| ((sum + FINE * FINE / 2) / (FINE * FINE)) as u8));
    }
    pixels
}

fn blend(pixels: &mut [u8], x: i64, y: i64, color: Rgb, covered: f32) {
    if (0..i64::from(WIDTH)).contains(&x) && (0..i64::from(HEIGHT)).contains(&y) {
        let at = 3 * (y * i64::from(WIDTH) + x) as usize;
        let under = (pixels[at], pixels[at + 1], pixels[at + 2]);
        let (r, g, b) = mix(under, color, f64::from(covered));
        pixels[at..at + 3].copy_from_slice(&[r, g, b]);
    }
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, PlotError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Flat colours pack best when left as they are.
    encoder.set_filter(png::FilterType::NoFilter);
    // Packing them harder saves little, and took longer than all else of a plot.
    encoder.set_compression(png::Compression::Default);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_smoothed_and_stay_inside() {
        let mut canvas = Canvas::new();
        canvas.line(&[(-1e9, 500.0), (1e9, 500.0)], 2.0, INK);
        canvas.disc((800.0, 500.0), 20.0, RED);
        let pixels = averaged(&canvas.fine);
        assert_eq!(pixels.len(), (3 * WIDTH * HEIGHT) as usize);
        let shades: std::collections::BTreeSet<_> = pixels.chunks(3).map(<[u8]>::to_vec).collect();
        assert!(shades.len() > 5, "edges are not smoothed: {} colours", shades.len());
    }

    #[test]
    fn a_picture_is_the_same_bytes_every_time() {
        let picture = || {
            let mut canvas = Canvas::new();
            canvas.dashed(&[(10.0, 10.0), (400.0, 333.0), (400.0, 333.0)], 3.0, (9.0, 5.0), BLUE);
            canvas.text("ε₀ = 0.12", (700.0, 500.0), TextStyle::new(BODY, INK).centred());
            canvas.finish().unwrap()
        };
        assert_eq!(picture(), picture());
    }

    #[test]
    fn a_halo_clears_lines_from_around_a_text() {
        let picture = |style: TextStyle| {
            let mut canvas = Canvas::new();
            canvas.line(&[(0.0, 500.0), (1600.0, 500.0)], 3.0, RED);
            canvas.text("l l l", (800.0, 500.0), style.centred());
            let mut pixels = averaged(&canvas.fine);
            for label in &canvas.labels {
                if let Some(ground) = label.style.halo {
                    halo_offsets().for_each(|by| write(&mut pixels, label, by, ground));
                }
                write(&mut pixels, label, (0.0, 0.0), label.style.color);
            }
            pixels.chunks(3).filter(|p| *p == [RED.0, RED.1, RED.2]).count()
        };
        let plain = TextStyle::new(BODY, INK);
        assert!(picture(plain.on(WHITE)) + 30 < picture(plain));
    }

    #[test]
    fn mixing_reaches_both_ends() {
        assert_eq!((mix(INK, RED, 0.0), mix(INK, RED, 1.0), tint(RED, 0.0)), (INK, RED, WHITE));
    }
}
