//! Text drawn straight onto the finished picture, from fonts inside the binary.
//!
//! plotters sets each glyph at a whole pixel and ignores its side bearing; at the size of a label that shows, so letters are set
//! here: kerned, at fractions of a pixel, with the weight that a slide needs.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, GlyphId, Point, PxScale, ScaleFont};

use super::canvas::Rgb;

/// Put before a character, this sets it as a subscript. It lies in Unicode's private area, so no name holds it by accident.
pub(super) const SUB: char = '\u{E000}';

/// Where the given point lies along the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At its left end.
    Left,
    /// In its middle.
    Centre,
    /// At its right end.
    Right,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub struct TextStyle {
    /// Height of an em, in pixels.
    pub size: f64,
    /// Of the letters.
    pub color: Rgb,
    /// Whether the strokes are heavy.
    pub bold: bool,
    /// How the text lies about its point.
    pub align: Align,
    /// Turned to read upwards.
    pub upwards: bool,
    /// The colour of the ground, if lines are to be cleared from around the letters.
    pub halo: Option<Rgb>,
}

impl TextStyle {
    /// Upright regular text that starts at its point.
    pub fn new(size: f64, color: Rgb) -> Self {
        Self { size, color, bold: false, align: Align::Left, upwards: false, halo: None }
    }

    /// In bold.
    #[must_use]
    pub fn bold(self) -> Self {
        self.bold_if(true)
    }

    /// In bold when `bold`.
    #[must_use]
    pub fn bold_if(self, bold: bool) -> Self {
        Self { bold, ..self }
    }

    /// Centred on its point.
    #[must_use]
    pub fn centred(self) -> Self {
        Self { align: Align::Centre, ..self }
    }

    /// Ending at its point.
    #[must_use]
    pub fn right(self) -> Self {
        Self { align: Align::Right, ..self }
    }

    /// Turned to read upwards.
    #[must_use]
    pub fn upwards(self) -> Self {
        Self { upwards: true, ..self }
    }

    /// On a ground of this colour, cleared of lines around the letters.
    #[must_use]
    pub fn on(self, ground: Rgb) -> Self {
        Self { halo: Some(ground), ..self }
    }

    /// How far the strokes are widened. The bundled face is a light one; these shares of the em make it a regular and a bold.
    fn widening(&self) -> f64 {
        self.size * if self.bold { 0.055 } else { 0.018 }
    }
}

/// A glyph of a run: its face, the shape, the place along the baseline, the drop below it, and the scale.
struct Placed {
    face: usize,
    id: GlyphId,
    x: f32,
    drop: f32,
    scale: PxScale,
}

/// The faces in the order in which they are asked for a glyph.
fn faces() -> &'static [FontRef<'static>] {
    static FACES: OnceLock<Vec<FontRef<'static>>> = OnceLock::new();
    FACES.get_or_init(|| {
        let bytes = [epaint_default_fonts::UBUNTU_LIGHT, epaint_default_fonts::HACK_REGULAR];
        bytes.into_iter().filter_map(|b| FontRef::try_from_slice(b).ok()).collect()
    })
}

/// The first face that has `c`, and its glyph; a question mark where none has it.
fn find(c: char) -> Option<(usize, GlyphId)> {
    let has = |c: char| faces().iter().map(|f| f.glyph_id(c)).enumerate().find(|(_, id)| id.0 != 0);
    has(c).or_else(|| has('?'))
}

/// The scale at which an em of `face` is `size` pixels high.
fn em_scale(face: &FontRef<'static>, size: f32) -> PxScale {
    PxScale::from(size * face.height_unscaled() / face.units_per_em().unwrap_or(1000.0))
}

/// Sets `text` from x = 0 on; returns the glyphs and the width.
fn layout(text: &str, style: &TextStyle) -> (Vec<Placed>, f32) {
    let (mut x, mut placed, mut subscript) = (0.0, Vec::<Placed>::new(), false);
    let widening = style.widening() as f32;
    for c in text.chars() {
        if c == SUB {
            subscript = true;
            continue;
        }
        let c = if c.is_control() { ' ' } else { c };
        let Some((face, id)) = find(c) else { continue };
        let size = style.size as f32 * if subscript { 0.68 } else { 1.0 };
        let drop = if subscript { 0.16 * style.size as f32 } else { 0.0 };
        let scale = em_scale(&faces()[face], size);
        let scaled = faces()[face].as_scaled(scale);
        if let Some(last) = placed.last().filter(|p| p.face == face) {
            x += scaled.kern(last.id, id);
        }
        placed.push(Placed { face, id, x, drop, scale });
        x += scaled.h_advance(id) + 0.5 * widening;
        subscript = false;
    }
    (placed, x)
}

/// The width of `text` in pixels.
pub fn width(text: &str, style: &TextStyle) -> f64 {
    f64::from(layout(text, style).1)
}

/// `text`, cut and closed with "…" if it is wider than `room` pixels.
pub(super) fn fitted(text: &str, style: &TextStyle, room: f64) -> String {
    if width(text, style) <= room {
        return text.to_owned();
    }
    let mut cut: Vec<char> = text.chars().take(400).collect();
    while !cut.is_empty() {
        cut.pop();
        let shorter = format!("{}…", cut.iter().collect::<String>().trim_end());
        if width(&shorter, style) <= room {
            return shorter;
        }
    }
    String::new()
}

/// Draws `text` with the middle of its capitals at height `at.1`; calls `ink` with the pixel and how much of it is covered.
pub(super) fn draw(text: &str, style: &TextStyle, at: (f64, f64), mut ink: impl FnMut(i64, i64, f32)) {
    let (glyphs, width) = layout(text, style);
    let before = match style.align {
        Align::Left => 0.0,
        Align::Centre => -width / 2.0,
        Align::Right => -width,
    };
    let mut mask = Mask::new(width, style.size as f32);
    let passes = (style.widening() / 0.5).ceil().max(1.0) as usize;
    for glyph in &glyphs {
        for pass in 0..=passes {
            let shift = (pass as f64 / passes as f64 - 0.5) * style.widening();
            let position = Point { x: glyph.x + shift as f32 + mask.origin.0, y: glyph.drop + mask.origin.1 };
            let outlined = faces()[glyph.face].outline_glyph(glyph.id.with_scale_and_position(glyph.scale, position));
            if let Some(outlined) = outlined {
                let corner = outlined.px_bounds().min;
                outlined.draw(|x, y, c| mask.cover(i64::from(x) + corner.x as i64, i64::from(y) + corner.y as i64, c));
            }
        }
    }
    // Half the height of the capitals of the bundled face is 0.35 em.
    let down = 0.35 * style.size as f32 - mask.origin.1;
    let along = before - mask.origin.0;
    mask.each(|x, y, c| {
        let (x, y) = (x as f32 + along, y as f32 + down);
        let (dx, dy) = if style.upwards { (y, -x) } else { (x, y) };
        ink((at.0 as f32 + dx).round() as i64, (at.1 as f32 + dy).round() as i64, c);
    });
}

/// How much of each pixel a text covers. Overlapping strokes count once.
struct Mask {
    origin: (f32, f32),
    width: usize,
    height: usize,
    covered: Vec<f32>,
}

impl Mask {
    /// Room for a text of this width and size, with an em to spare on every side.
    fn new(width: f32, size: f32) -> Self {
        let origin = (size.ceil(), (2.0 * size).ceil());
        let (width, height) = ((width + 2.0 * size).ceil() as usize + 1, (3.0 * size).ceil() as usize + 1);
        Self { origin, width, height, covered: vec![0.0; width * height] }
    }

    fn cover(&mut self, x: i64, y: i64, c: f32) {
        if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y))
            && x < self.width
            && y < self.height
        {
            let pixel = &mut self.covered[y * self.width + x];
            *pixel = pixel.max(c);
        }
    }

    fn each(&self, mut ink: impl FnMut(usize, usize, f32)) {
        for (k, &c) in self.covered.iter().enumerate().filter(|(_, c)| **c > 0.0) {
            ink(k % self.width, k / self.width, c.min(1.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::INK;
    use super::*;

    #[test]
    fn the_faces_have_every_symbol_the_plots_use() {
        for c in "aZ09.,:()ετ₀×÷·…–≥±".chars() {
            assert!(faces().iter().any(|f| f.glyph_id(c).0 != 0), "no glyph for {c}");
        }
        assert_eq!(faces().len(), 2);
    }

    #[test]
    fn width_grows_with_text_size_and_weight() {
        let style = TextStyle::new(28.0, INK);
        assert!(width("wide", &style) > width("wid", &style));
        assert!(width("wide", &style.bold()) > width("wide", &style));
        assert!(width("wide", &TextStyle::new(40.0, INK)) > width("wide", &style));
        assert_eq!(width("", &style), 0.0);
    }

    #[test]
    fn a_long_text_is_cut_to_fit_and_a_short_one_is_not() {
        let style = TextStyle::new(28.0, INK);
        assert_eq!(fitted("short", &style, 500.0), "short");
        let cut = fitted(&"long ".repeat(100), &style, 500.0);
        assert!(cut.ends_with('…') && width(&cut, &style) <= 500.0 && cut.len() > 20);
        assert_eq!(fitted("x", &style, 0.0), "");
    }

    #[test]
    fn upward_text_is_the_same_ink_turned() {
        let count = |style: TextStyle| {
            let (mut pixels, mut span) = (0, (i64::MAX, i64::MIN));
            draw("loss", &style, (500.0, 500.0), |x, _, _| {
                pixels += 1;
                span = (span.0.min(x), span.1.max(x));
            });
            (pixels, span.1 - span.0)
        };
        let (flat, turned) = (count(TextStyle::new(28.0, INK)), count(TextStyle::new(28.0, INK).upwards()));
        assert_eq!(flat.0, turned.0);
        assert!(turned.1 < flat.1);
    }
}
