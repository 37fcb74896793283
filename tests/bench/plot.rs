//! How cost grows with the fleet, as a picture.

use std::path::Path;

use plotters::prelude::*;

use super::figures::{Figures, Size};

const SIZE: (u32, u32) = (900, 640);
/// Seen on a light and on a dark page.
const GROUND: RGBColor = RGBColor(255, 255, 255);

/// What it says above, and what it shows of a fleet of one size.
type Chart = (&'static str, fn(&Size) -> f64);

/// One small chart for each cost.
pub fn draw(figures: &Figures, into: &Path) {
    let path = into.join("growth.svg");
    let area = SVGBackend::new(&path, SIZE).into_drawing_area();
    area.fill(&GROUND).unwrap();
    let charts: [Chart; 4] = [
        ("resident memory, MiB", |size| size.resident_mib),
        ("idle processor time, % of a core", |size| size.idle_cpu_percent),
        ("start → all connected, s", |size| size.restored_s),
        ("command → first QR, p50, ms", |size| size.first_qr_p50_ms),
    ];
    for (area, (title, of)) in area.split_evenly((2, 2)).iter().zip(charts) {
        let points: Vec<_> = figures.growth.iter().map(|size| (size.accounts as f64, of(size))).collect();
        let most = points.iter().map(|point| point.0).fold(1.0, f64::max) * 1.05;
        let highest = points.iter().map(|point| point.1).fold(f64::EPSILON, f64::max) * 1.15;
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 17))
            .margin(12)
            .x_label_area_size(30)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..most, 0.0..highest)
            .unwrap();
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|accounts| format!("{accounts:.0}"))
            .x_desc("accounts")
            .draw()
            .unwrap();
        chart.draw_series(LineSeries::new(points.iter().copied(), BLUE.stroke_width(2))).unwrap();
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, BLUE.filled()))).unwrap();
    }
    area.present().unwrap();
}
