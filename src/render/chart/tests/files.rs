//! Pictures as files: well-formed, in their bounds, with the words of the text.

use super::*;

/// All texts of a picture in SVG.
fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|n| n.has_tag_name("text"));
    texts
        .map(|n| {
            n.descendants()
                .filter_map(|n| n.text().filter(|_| n.is_text()))
                .collect()
        })
        .collect()
}

#[test]
fn the_svg_has_the_words_of_the_text() {
    let svg = svg(&limit(1_250.0, two_axes()), UTC);
    let texts = texts(&svg);
    for text in [
        "0 s",
        "1 s",
        "2 s",
        "$0.00",
        "$0.20",
        "$0.40",
        "12:00",
        "18:00",
        "Jan 31",
        "06:00",
        "● p95 latency (left)   ▲ cost (right)",
        "threshold 1.25 s",
    ] {
        assert!(texts.iter().any(|t| t == text), "{text} in {texts:?}");
    }
    assert!(
        svg.contains("<title>2026-01-30 12:00 p95 latency: 0.31 s</title>"),
        "{svg}"
    );
}

#[test]
fn an_earlier_window_is_dotted_and_named() {
    let mut chart = small(&[("claude", day()), ("claude, 7d earlier", day())]);
    chart.series[1].is_earlier = true;
    let svg = svg(&chart, UTC);
    assert!(svg.contains("earlier\" stroke-dasharray=\"1 4\""), "{svg}");
    assert!(
        texts(&svg)
            .iter()
            .any(|t| t.contains("▲ claude, 7d earlier"))
    );
}

#[test]
fn a_page_has_the_picture_and_its_values_and_fetches_nothing() {
    let mut chart = small(&[("<script>alert(1)</script>", day())]);
    chart.title = "a & b".to_owned();
    let page = html(&chart, UTC);
    assert!(page.contains("<title>a &amp; b</title>"));
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;</th>"),
        "{page}"
    );
    assert!(
        page.contains("<tr><td>2026-01-30 12:00</td><td>0.31 s</td></tr>"),
        "{page}"
    );
    for word in ["<script", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
}

/// Every number of a path, as points.
fn path_points(d: &str) -> Vec<f64> {
    let numbers = d.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
    numbers.filter_map(|n| n.parse().ok()).collect()
}

proptest! {
    #[test]
    fn any_picture_is_well_formed_and_stays_in_its_plot(chart in any_chart()) {
        let text = svg(&chart, Europe::Berlin);
        let document = roxmltree::Document::parse(&text).unwrap();
        let number = |n: roxmltree::Node<'_, '_>, name| n.attribute(name).unwrap().parse::<f64>().unwrap();
        let root = document.root_element();
        let size = root.attribute("viewBox").unwrap().split(' ').skip(2);
        let size: Vec<f64> = size.map(|n| n.parse().unwrap()).collect();
        let paths = || document.descendants().filter(|n| n.has_tag_name("path"));
        let is = |n: &roxmltree::Node<'_, '_>, class: &str| n.attribute("class").unwrap_or("").starts_with(class);
        // The axis goes down the left side, and right along the bottom.
        let Some(axis) = paths().find(|n| is(n, "frame")) else { return Ok(()) };
        let [left, top, bottom, right] = path_points(axis.attribute("d").unwrap())[..] else { panic!() };
        prop_assert!(0.0 < left && right <= size[0] && 0.0 < top && bottom < size[1]);
        let (xs, ys) = (left - 0.1..=right + 0.1, top - 0.1..=bottom + 0.1);
        for n in document.descendants().filter(|n| n.has_tag_name("circle")) {
            prop_assert!(xs.contains(&number(n, "cx")) && ys.contains(&number(n, "cy")));
        }
        for n in document.descendants().filter(|n| n.has_tag_name("rect") && is(n, "f")) {
            let (x, y) = (number(n, "x"), number(n, "y"));
            prop_assert!(xs.contains(&x) && xs.contains(&(x + number(n, "width"))));
            prop_assert!(ys.contains(&y) && y + number(n, "height") <= bottom + 0.7);
        }
        for line in paths().filter(|n| is(n, "line") && chart.shape == Shape::Line) {
            for pair in path_points(line.attribute("d").unwrap()).chunks(2) {
                prop_assert!(xs.contains(&pair[0]) && ys.contains(&pair[1]), "{pair:?}");
            }
        }
    }
}
