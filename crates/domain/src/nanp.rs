//! The North American numbering plan: what an area code says about a place.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::{country::Country, zones::zone::Zone};

/// What is known of one area code.
#[derive(Debug, Clone)]
pub struct Area {
    /// The country that the area code belongs to.
    pub country: Country,
    /// The states or provinces that it serves; empty outside the United States and Canada.
    pub states: Vec<&'static str>,
    /// Every zone that it touches, those of the area that it overlays included.
    pub zones: Vec<Zone>,
}

/// What is known of an area code, 200 to 999. `None` for toll-free and other codes without a
/// place, and for codes newer than the table.
pub fn area(area_code: u16) -> Option<&'static Area> {
    AREAS.get(usize::from(area_code))?.as_ref()
}

/// The states or provinces that an area code serves: `["FL"]` for 850. Empty where unknown.
pub fn states_of_area_code(area_code: u16) -> &'static [&'static str] {
    area(area_code).map_or(&[], |area| &area.states)
}

/// The zone data, as computed from libphonenumber's prefix table.
#[derive(Deserialize)]
struct ZoneFile {
    multi_zone: BTreeMap<String, Vec<String>>,
    single_zone: BTreeMap<String, String>,
    overlay_should_inherit_parent_zones: BTreeMap<String, String>,
}

static AREAS: LazyLock<Vec<Option<Area>>> = LazyLock::new(|| {
    let file: ZoneFile = serde_json::from_str(include_str!("../data/npa_timezones.json"))
        .expect("npa_timezones.json has its form");

    let mut areas: Vec<Option<Area>> = vec![None; 1000];
    let rows = include_str!("../data/nanp_places.tsv").lines().filter(|row| !row.starts_with('#'));
    for row in rows {
        let mut fields = row.split('\t');
        let mut field = || fields.next().expect("three columns in nanp_places.tsv");
        let (code, country, states) = (field(), field(), field());

        areas[code.parse::<usize>().expect("an area code")] = Some(Area {
            country: country.parse().expect("a country"),
            states: states.split(',').filter(|state| *state != "-").collect(),
            zones: zones(&file, code),
        });
    }
    areas
});

/// The zones of the code itself and, for an overlay, of the code that it lies over: overlays have
/// no data below the area code, so their own single zone may be too narrow.
fn zones(file: &ZoneFile, code: &str) -> Vec<Zone> {
    let own = |code: &str| {
        let many = file.multi_zone.get(code).into_iter().flatten();
        many.chain(file.single_zone.get(code)).cloned().collect::<Vec<_>>()
    };

    let mut names = own(code);
    if let Some(parent) = file.overlay_should_inherit_parent_zones.get(code) {
        names.extend(own(parent));
    }

    let mut zones: Vec<Zone> =
        names.iter().map(|name| Zone::parse(name).expect("a zone of the database")).collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}
