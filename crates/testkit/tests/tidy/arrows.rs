//! Which crate may depend on which: arrows point down only.

use std::collections::BTreeSet;

use boot::telemetry::logs::own_crates;
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use super::tree::{Found, files, root};

const DOWN: &str = "Arrows point down only: api, stages -> store, carriers, objects -> stage -> \
                    wire -> domain; pipeline runs what is written against stage, and no stage \
                    uses it; boot and testkit wire things together; only millrace knows the \
                    stages.";

/// The crates below the stages, each with those of ours that it may use.
const BELOW: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("wire", &["domain"]),
    ("stage", &["wire", "domain"]),
    ("pipeline", &["stage", "wire", "domain"]),
    ("store", &["stage", "wire", "domain"]),
    ("carriers", &["wire", "domain"]),
    ("objects", &[]),
    // A codec shared with the carriers would share its faults.
    ("sandbox", &["domain"]),
    ("boot", &["objects", "pipeline", "stage", "store", "wire", "domain"]),
    ("testkit", &["boot", "sandbox", "carriers", "store", "pipeline", "stage", "wire", "domain"]),
];

/// What each stage may use.
const STAGE: &[&str] = &["stage", "store", "carriers", "objects", "wire", "domain"];

/// What the api may use: it publishes what it accepts itself.
const API: &[&str] = &["pipeline", "stage", "store", "carriers", "objects", "wire", "domain"];

/// What tests may use beside that.
const FOR_TESTS: &[&str] = &["testkit", "boot", "sandbox", "pipeline"];

#[test]
fn every_crate_depends_on_crates_below_it_only() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut found = Found::default();
    for package in &packages {
        for dependency in package.dependencies.iter().filter(|d| ours.contains(d.name.as_str())) {
            let dev = dependency.kind == DependencyKind::Development;
            if !may_use(package, &packages, &dependency.name, dev) {
                let (path, line) = place(package, &dependency.name);
                let what = format!("{} may not use {}", package.name, dependency.name);
                found.at(&path, line, what);
            }
        }
    }
    found.none(DOWN);
}

#[test]
fn every_crate_of_ours_may_log_in_detail() {
    let ours: BTreeSet<String> =
        packages().into_iter().map(|package| package.name.to_string()).collect();
    let mut named: BTreeSet<String> = own_crates().map(str::to_owned).collect();
    named.insert("testkit".to_owned());
    assert_eq!(ours, named, "boot/src/telemetry/logs.rs names every crate of ours");
}

#[test]
fn every_crate_of_ours_has_a_place_in_the_house() {
    let mut found = Found::default();
    for package in packages() {
        let known = BELOW.iter().any(|(name, _)| *name == package.name.as_str())
            || is_stage(&package)
            || matches!(package.name.as_str(), "api" | "millrace");
        if !known {
            found.at(&path_of(&package), 1, "not in the table of this test, so it may use nothing");
        }
    }
    found.none(DOWN);
}

#[test]
fn a_stage_holds_neither_the_broker_nor_the_database_itself() {
    let mut found = Found::default();
    for package in packages().iter().filter(|package| is_stage(package)) {
        for dependency in &package.dependencies {
            let outside = matches!(dependency.name.as_str(), "async-nats" | "sqlx" | "axum");
            if outside && dependency.kind != DependencyKind::Development {
                let (path, line) = place(package, &dependency.name);
                found.at(&path, line, format!("{} may not use {}", package.name, dependency.name));
            }
        }
    }
    found.none("A stage never acks, publishes or writes SQL: pipeline and store do.");
}

#[test]
fn neither_the_contract_nor_the_store_knows_the_broker() {
    let mut found = Found::default();
    let packages = packages();
    let free = |package: &&Package| matches!(package.name.as_str(), "stage" | "store");
    assert_eq!(packages.iter().filter(free).count(), 2, "both crates are there");
    for package in packages.iter().filter(free) {
        for dependency in package.dependencies.iter().filter(|d| d.name == "async-nats") {
            let (path, line) = place(package, &dependency.name);
            found.at(&path, line, format!("{} may not use {}", package.name, dependency.name));
        }
    }
    found.none("Only pipeline publishes and acknowledges.");
}

#[test]
fn the_rules_know_no_io() {
    const IO: [&str; 7] =
        ["tokio", "async-nats", "sqlx", "axum", "hyper", "reqwest", "tracing-subscriber"];
    let mut found = Found::default();
    let packages = packages();
    let pure = |package: &&Package| matches!(package.name.as_str(), "domain" | "wire");
    for package in packages.iter().filter(pure) {
        for dependency in package.dependencies.iter().filter(|d| IO.contains(&d.name.as_str())) {
            let (path, line) = place(package, &dependency.name);
            found.at(&path, line, format!("{} may not use {}", package.name, dependency.name));
        }
    }
    found.none("domain and wire are plain data and pure functions.");
}

#[test]
fn every_crate_takes_its_dependencies_and_lints_from_the_workspace() {
    let mut found = Found::default();
    for manifest in files(&["Cargo.toml"]).iter().filter(|file| file.path != "Cargo.toml") {
        let mut section = "";
        let mut lints = false;

        for (at, line) in manifest.lines() {
            if line.starts_with('[') {
                section = line;
                if line.contains("dependencies.") {
                    found.at(&manifest.path, at, "write it as `name = { workspace = true }`");
                }
            } else if section == "[lints]" {
                lints |= line == "workspace = true";
            } else if section.ends_with("dependencies]")
                && line.contains('=')
                && !line.contains("workspace = true")
            {
                found.at(&manifest.path, at, format!("not from the workspace: {line}"));
            }
        }

        if !lints {
            found.at(&manifest.path, 1, "no `[lints] workspace = true`");
        }
    }
    found.none("One version of each dependency, and one set of lints: those of the root.");
}

fn may_use(package: &Package, all: &[Package], other: &str, dev: bool) -> bool {
    let other_is_stage = all.iter().any(|one| one.name.as_str() == other && is_stage(one));
    let name = package.name.as_str();
    if name == "millrace" {
        return dev || other != "testkit";
    }
    if other_is_stage || other == "millrace" || other == "api" {
        return false;
    }
    let below = BELOW.iter().find(|(crate_name, _)| *crate_name == name);
    let allowed = match below {
        Some((_, allowed)) => allowed,
        None if name == "api" => API,
        None if is_stage(package) => STAGE,
        None => &[],
    };
    allowed.contains(&other) || (dev && name != "sandbox" && FOR_TESTS.contains(&other))
}

fn packages() -> Vec<Package> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    command.other_options(vec!["--offline".into()]);
    command.exec().expect("cargo metadata of the workspace").packages
}

fn is_stage(package: &Package) -> bool {
    path_of(package).starts_with("stages/")
}

fn path_of(package: &Package) -> String {
    let path = package.manifest_path.as_std_path();
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The manifest, and its line that names the dependency.
fn place(package: &Package, dependency: &str) -> (String, usize) {
    let path = path_of(package);
    let text = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
    let names = |line: &str| {
        line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    let line = text.lines().position(names).map_or(1, |at| at + 1);
    (path, line)
}
