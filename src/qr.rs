//! A QR payload as a picture for the row, and that picture in a terminal or as SVG.

use std::fmt::Write as _;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use paird_actors::{
    domain::{Secret, StoreError},
    ports::QrPainter,
};
use qrcode::{Color, EcLevel, QrCode};
use thiserror::Error;

/// Pixels per module; enough for a phone to read it from a laptop screen at arm's length.
const MODULE_PIXELS: usize = 8;
/// Light modules around the code; the standard asks for four.
const QUIET_ZONE: usize = 4;

/// A picture could not be made or read. Never holds the payload.
#[derive(Debug, Error)]
pub enum QrError {
    #[error("payload does not fit in a QR code")]
    Payload(#[source] qrcode::types::QrError),
    #[error("QR picture could not be written")]
    Encode(#[from] png::EncodingError),
    #[error("QR picture could not be read")]
    Decode(#[from] png::DecodingError),
    #[error("QR picture is not base64")]
    Base64(#[from] base64::DecodeError),
    #[error("picture is not one of a QR code made here")]
    Foreign,
}

/// The squares of a QR code, quiet zone included; `true` is dark.
#[derive(Clone, PartialEq, Eq)]
pub struct Modules {
    side: usize,
    dark: Vec<bool>,
}

/// The payload as a PNG, base64: black on white, one bit a pixel, with a quiet zone.
///
/// # Errors
/// The payload is longer than a QR code can hold.
pub fn png_base64(payload: &Secret) -> Result<String, QrError> {
    let modules = Modules::of_payload(payload)?;
    Ok(BASE64.encode(modules.png()?))
}

/// Draws for the accounts' rows.
pub struct Painter;

#[async_trait]
impl QrPainter for Painter {
    /// Drawing takes milliseconds: too long for a thread that serves connections.
    async fn png(&self, payload: &Secret) -> Result<Secret, StoreError> {
        let payload = payload.clone();
        match tokio::task::spawn_blocking(move || png_base64(&payload)).await {
            Ok(Ok(png)) => Ok(Secret::new(png)),
            Ok(Err(wrong)) => Err(StoreError::Refused(format!("the QR cannot be drawn: {wrong}"))),
            Err(wrong) => Err(StoreError::Unavailable(format!("the QR was not drawn: {wrong}"))),
        }
    }
}

/// Reads the squares back from a picture that [`png_base64`] made.
///
/// # Errors
/// It is not such a picture.
pub fn modules_of(png_base64: &str) -> Result<Modules, QrError> {
    let png = BASE64.decode(png_base64)?;
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or(QrError::Foreign)?];
    let frame = reader.next_frame(&mut bytes)?;
    let pixels = usize::try_from(frame.width).map_err(|_| QrError::Foreign)?;
    let is_ours = frame.color_type == png::ColorType::Grayscale
        && frame.bit_depth == png::BitDepth::One
        && frame.width == frame.height
        && pixels.is_multiple_of(MODULE_PIXELS);
    if !is_ours {
        return Err(QrError::Foreign);
    }
    let side = pixels / MODULE_PIXELS;
    let middle = |module: usize| module * MODULE_PIXELS + MODULE_PIXELS / 2;
    let is_dark = |x: usize, y: usize| {
        let byte = bytes.get(y * frame.line_size + x / 8).copied().unwrap_or(u8::MAX);
        byte & (0x80 >> (x % 8)) == 0
    };
    let dark = (0..side * side).map(|i| is_dark(middle(i % side), middle(i / side))).collect();
    Ok(Modules { side, dark })
}

impl Modules {
    fn of_payload(payload: &Secret) -> Result<Self, QrError> {
        // Level L: the smallest code, and a screen has no dirt to correct for.
        let code =
            QrCode::with_error_correction_level(payload.expose().as_bytes(), EcLevel::L).map_err(QrError::Payload)?;
        let inner = code.width();
        let side = inner + 2 * QUIET_ZONE;
        let mut dark = vec![false; side * side];
        for (i, color) in code.to_colors().into_iter().enumerate() {
            let (x, y) = (i % inner + QUIET_ZONE, i / inner + QUIET_ZONE);
            if let Some(module) = dark.get_mut(y * side + x) {
                *module = color == Color::Dark;
            }
        }
        Ok(Self { side, dark })
    }

    fn png(&self) -> Result<Vec<u8>, QrError> {
        let pixels = self.side * MODULE_PIXELS;
        // A module is as wide as a byte has bits, so a module is a byte of its row.
        let mut image = Vec::with_capacity(pixels * self.side);
        for y in 0..self.side {
            let row: Vec<u8> = (0..self.side).map(|x| if self.is_dark(x, y) { 0x00 } else { 0xff }).collect();
            for _ in 0..MODULE_PIXELS {
                image.extend_from_slice(&row);
            }
        }
        let mut png = Vec::new();
        let side = u32::try_from(pixels).map_err(|_| QrError::Foreign)?;
        let mut encoder = png::Encoder::new(&mut png, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        encoder.write_header()?.write_image_data(&image)?;
        Ok(png)
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.side && self.dark.get(y * self.side + x).copied().unwrap_or(false)
    }

    /// Lines of half blocks, two modules a character, in explicit black on white:
    /// the same on a dark and on a light terminal. Each line ends with a newline.
    pub fn drawn(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            // 16 and 231 are black and white of the fixed colour cube; the first
            // sixteen colours belong to the user's theme.
            let _ = writeln!(text, "\u{1b}[38;5;16;48;5;231m{line}\u{1b}[0m");
        }
        text
    }

    /// The half blocks alone: to be shown in black on white.
    pub fn lines(&self) -> Vec<String> {
        let block = |x: usize, y: usize| match (self.is_dark(x, y), self.is_dark(x, y + 1)) {
            (false, false) => ' ',
            (true, false) => '▀',
            (false, true) => '▄',
            (true, true) => '█',
        };
        (0..self.side).step_by(2).map(|y| (0..self.side).map(|x| block(x, y)).collect()).collect()
    }

    /// One path of dark runs on white, a module a unit: sharp at every size.
    pub fn svg(&self) -> String {
        let mut path = String::new();
        for y in 0..self.side {
            let mut x = 0;
            while x < self.side {
                let run = (x..self.side).take_while(|x| self.is_dark(*x, y)).count();
                if run > 0 {
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += run.max(1);
            }
        }
        let side = self.side;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path d=\"{path}\"/></svg>"
        )
    }

    /// Columns and lines that [`Modules::drawn`] takes.
    pub fn size(&self) -> (usize, usize) {
        (self.side, self.side.div_ceil(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As long and of the same alphabet as WhatsApp's: a ref and three keys.
    fn payload(length: usize) -> Secret {
        let alphabet = "2@ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=,";
        Secret::new(alphabet.chars().cycle().skip(length % 7).step_by(5).take(length).collect::<String>())
    }

    fn read_by_another_decoder(png_base64: &str) -> String {
        let png = BASE64.decode(png_base64).unwrap();
        let image = image::load_from_memory(&png).unwrap().to_luma8();
        let (width, height) = (image.width() as usize, image.height() as usize);
        let pixel = |x: usize, y: usize| image.get_pixel(x as u32, y as u32).0[0];
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code in the picture");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn an_independent_decoder_reads_the_payload_back() {
        for length in [1, 180, 237, 240, 256, 300, 500] {
            let payload = payload(length);
            let png = png_base64(&payload).unwrap();
            assert_eq!(read_by_another_decoder(&png), payload.expose(), "length {length}");
        }
    }

    #[test]
    fn a_picture_of_whatsapps_length_is_small_enough_for_a_row() {
        let png = png_base64(&payload(240)).unwrap();
        assert!(png.len() < 8_000, "{} bytes", png.len());
    }

    #[test]
    fn the_squares_are_read_back_from_the_picture() {
        let payload = payload(240);
        let drawn = Modules::of_payload(&payload).unwrap();
        assert!(modules_of(&png_base64(&payload).unwrap()).unwrap() == drawn);
    }

    #[test]
    fn the_terminal_shows_the_code_with_its_quiet_zone() {
        let modules = Modules::of_payload(&payload(240)).unwrap();
        let lines: Vec<String> = modules.drawn().lines().map(str::to_owned).collect();
        let (columns, rows) = modules.size();
        assert_eq!(lines.len(), rows);
        let inside =
            |line: &str| line.trim_start_matches("\u{1b}[38;5;16;48;5;231m").trim_end_matches("\u{1b}[0m").to_owned();
        assert_eq!(inside(&lines[0]), " ".repeat(columns));
        assert_eq!(inside(&lines[1]), " ".repeat(columns));
        let first_row_of_code = inside(&lines[2]);
        assert!(first_row_of_code.starts_with("    █▀▀▀▀▀█ "), "{first_row_of_code}");
    }

    #[test]
    fn a_payload_that_is_too_long_is_an_error_without_the_payload() {
        let error = png_base64(&payload(3_000)).unwrap_err();
        assert_eq!(error.to_string(), "payload does not fit in a QR code");
    }

    #[test]
    fn another_picture_is_refused() {
        assert!(matches!(modules_of("not base64!"), Err(QrError::Base64(_))));
        assert!(matches!(modules_of("AAAA"), Err(QrError::Decode(_))));
    }
}
