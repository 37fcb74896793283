//! Reads a QR code, as a phone's camera does.

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Since 2025 a client may put this before the fields, for the phone's own
/// camera app.
const CAMERA_LINK: &str = "https://wa.me/settings/linked_devices#";

/// The fields of a pairing QR: `ref,noise key,identity key,adv secret,client type`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Qr {
    pub(crate) reference: String,
    pub(crate) noise_key: [u8; 32],
    pub(crate) identity: [u8; 32],
    pub(crate) adv_secret: [u8; 32],
}

impl Qr {
    pub(crate) fn parse(payload: &str) -> Result<Self> {
        let fields: Vec<&str> = payload.strip_prefix(CAMERA_LINK).unwrap_or(payload).split(',').collect();
        // Four fields are what clients showed before mid-2026; phones refuse them now.
        ensure!(fields.len() >= 5, "a pairing qr has 5 fields, this one has {}", fields.len());
        ensure!(!fields[0].is_empty(), "the ref in the qr is empty");
        ensure!(!fields[4].is_empty(), "the client type in the qr is empty");
        Ok(Self {
            reference: fields[0].to_owned(),
            noise_key: key(fields[1], "noise key")?,
            identity: key(fields[2], "identity key")?,
            adv_secret: key(fields[3], "adv secret")?,
        })
    }
}

/// Reads the one QR code in a PNG, as a camera would, with a decoder that has
/// nothing in common with the code that draws them.
pub(crate) fn read_png(png_base64: &str) -> Result<String> {
    let png = BASE64_STANDARD.decode(png_base64.trim()).context("the picture is not base64")?;
    let picture = image::load_from_memory_with_format(&png, image::ImageFormat::Png)
        .context("the picture is not a png")?
        .to_luma8();
    let (width, height) = picture.dimensions();
    let mut scene = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        picture.get_pixel(x as u32, y as u32).0[0]
    });
    match scene.detect_grids().as_slice() {
        [grid] => Ok(grid.decode().context("the qr in the picture is unreadable")?.1),
        [] => bail!("no qr in the picture"),
        several => bail!("{} qrs in the picture", several.len()),
    }
}

fn key(base64: &str, name: &str) -> Result<[u8; 32]> {
    let bytes = BASE64_STANDARD.decode(base64).with_context(|| format!("the {name} in the qr is not base64"))?;
    ensure!(bytes.len() == 32, "the {name} in the qr has {} bytes instead of 32", bytes.len());
    Ok(bytes.as_slice().try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> String {
        let [noise, identity, adv] = [1, 2, 3].map(|byte| BASE64_STANDARD.encode([byte; 32]));
        format!("2@a-ref,{noise},{identity},{adv},1")
    }

    #[test]
    fn a_payload_is_read_with_and_without_the_camera_link() {
        for text in [payload(), format!("{CAMERA_LINK}{}", payload())] {
            let qr = Qr::parse(&text).unwrap();
            assert_eq!((qr.reference.as_str(), qr.noise_key[0], qr.adv_secret[0]), ("2@a-ref", 1, 3));
        }
    }

    #[test]
    fn a_payload_with_four_fields_is_refused() {
        let four = payload();
        let refused = Qr::parse(four.rsplit_once(',').unwrap().0).err().unwrap();
        assert_eq!(refused.to_string(), "a pairing qr has 5 fields, this one has 4");
    }

    #[test]
    fn a_drawn_code_is_read_back_from_its_png() {
        let code = qrcode::QrCode::new(payload()).unwrap();
        let (modules, scale, quiet) = (code.width(), 4, 4);
        let side = ((modules + 2 * quiet) * scale) as u32;
        let colors = code.to_colors();
        let picture = image::GrayImage::from_fn(side, side, |x, y| {
            let at = |pixel: u32| (pixel as usize / scale).checked_sub(quiet).filter(|module| *module < modules);
            let dark = matches!((at(x), at(y)), (Some(x), Some(y)) if colors[y * modules + x] == qrcode::Color::Dark);
            image::Luma([if dark { 0 } else { 255 }])
        });
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        assert_eq!(read_png(&BASE64_STANDARD.encode(png.into_inner())).unwrap(), payload());
    }
}
