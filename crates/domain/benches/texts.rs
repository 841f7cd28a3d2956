//! What enrich does for each message: a phone number is read, a template rendered, segments
//! counted.

use divan::black_box;
use domain::{
    country::Country,
    encoding::{Encoded, as_sent, measure},
    language::Language,
    phone::PhoneNumber,
    template::{Template, with_opt_out_line},
};

/// A promotion as most are written: 7-bit, one segment.
const PLAIN: &str = "Spring sale: 20 % off until Sunday";

/// Four segments of the same alphabet.
const LONG: &str = "Dear customer, your parcel has left our depot this morning and is on its \
    way. The driver will ring twice between 14:00 and 16:00; if nobody is at home, it will be \
    left with your neighbour or at the shop around the corner, where it lies for seven days. \
    You may choose another day, another place or a drawer of our lockers on the page of your \
    order until noon today. Have your number at hand when you call us, and we shall find a way \
    that suits you. Kind regards.";

/// A picture makes a text UCS-2, whatever else it has.
const WIDE: &str = "Liebe Grüße aus Zürich 🎉 Heute gibt es 20 % auf alles, außer Tiernahrung";

/// A template with a value, a fallback and braces of its own.
const TEMPLATE: &str =
    "Hi {first_name|friend}, {company} has \\{20 %\\} off in {city|your city} until Sunday";

fn main() {
    divan::main();
}

#[divan::bench]
fn segments_of_a_plain_text() -> Encoded {
    measure(black_box(PLAIN))
}

#[divan::bench]
fn segments_of_a_long_text() -> Encoded {
    measure(black_box(LONG))
}

#[divan::bench]
fn segments_of_a_wide_text() -> Encoded {
    measure(black_box(WIDE))
}

#[divan::bench]
fn a_number_in_e164_is_read() -> PhoneNumber {
    PhoneNumber::parse(black_box("+12122000123"), None).expect("a number")
}

#[divan::bench]
fn a_number_as_people_write_it_is_read() -> PhoneNumber {
    PhoneNumber::parse(black_box("(212) 200-0123"), Some(Country::US)).expect("a number")
}

#[divan::bench]
fn an_australian_mobile_is_read() -> PhoneNumber {
    PhoneNumber::parse(black_box("0412 345 678"), Some(Country::AU)).expect("a number")
}

#[divan::bench]
fn a_stored_number_is_read() -> PhoneNumber {
    PhoneNumber::from_e164(black_box("+12122000123")).expect("a number")
}

#[divan::bench]
fn a_template_is_parsed() -> Template {
    Template::parse(black_box(TEMPLATE)).expect("a template")
}

#[divan::bench]
fn a_template_is_rendered(bencher: divan::Bencher<'_, '_>) {
    let template = Template::parse(TEMPLATE).expect("a template");
    bencher.bench_local(|| rendered(black_box(&template)));
}

/// Everything from the template to what is stored of a promotion.
#[divan::bench]
fn a_promotion_is_rendered_and_counted(bencher: divan::Bencher<'_, '_>) {
    let template = Template::parse(TEMPLATE).expect("a template");
    bencher.bench_local(|| {
        let text = rendered(black_box(&template));
        let text = with_opt_out_line(&text, Language::En);
        measure(&as_sent(&text))
    });
}

fn rendered(template: &Template) -> String {
    let value = |name: &str| match name {
        "first_name" => Some("Ana María"),
        "company" => Some("Harbour & Sons"),
        _ => None,
    };
    template.render(value).expect("every value")
}
