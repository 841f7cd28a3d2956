//! What others wrote and we build with: under which licences, from where, and how many versions.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{Metadata, MetadataCommand, Package};

use super::tree::{Found, root};

/// Licences that ask for no more than to be named.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

const RULE: &str = "A dependency comes from the registry, under a licence of the list, and the \
                    crates that we name ourselves are built in one version.";

#[test]
fn dependencies_have_fitting_licences_one_origin_and_one_version() {
    let metadata = metadata();
    let (packages, mut found) = (others(&metadata), Found::default());

    for package in &packages {
        let licence = package.license.as_deref().unwrap_or_default();
        if !is_fine(licence) {
            found.at("Cargo.lock", 1, format!("{} is under '{licence}'", package.name));
        }
        if !package.source.as_ref().is_some_and(|source| source.is_crates_io()) {
            found.at("Cargo.lock", 1, format!("{} is from elsewhere", package.name));
        }
    }

    for (name, versions) in versions_of_direct(&metadata) {
        if versions.len() > 1 {
            let versions = versions.into_iter().collect::<Vec<_>>().join(" and ");
            found.at("Cargo.toml", 1, format!("{name} is asked for as {versions}"));
        }
    }
    assert!(packages.len() > 100, "{} packages", packages.len());
    found.none(RULE);
}

#[test]
fn cargo_deny_goes_by_the_same_licences() {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let (_, list) = text.split_once("allow = [").expect("a list of licences");
    let (list, _) = list.split_once(']').expect("its end");
    let listed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    assert_eq!(listed, LICENCES);
}

#[test]
fn a_licence_is_fine_if_one_of_its_choices_is() {
    for fine in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR X) AND ISC", "MIT AND ISC"] {
        assert!(is_fine(fine), "{fine}");
    }
    for not in ["", "GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR X) AND MIT"] {
        assert!(!is_fine(not), "{not}");
    }
}

/// Whether all parts of a licence are of the list, each by one of its choices.
fn is_fine(licence: &str) -> bool {
    let is_listed = |choice: &str| LICENCES.contains(&choice.trim_matches(['(', ')', ' ']));
    licence.replace('/', " OR ").split(" AND ").all(|part| part.split(" OR ").any(is_listed))
}

fn metadata() -> Metadata {
    let manifest = root().join("Cargo.toml");
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest).other_options(["--locked".to_owned()]);
    command.exec().expect("cargo metadata")
}

/// The packages that are not of this workspace.
fn others(metadata: &Metadata) -> Vec<&Package> {
    let ours = |package: &&Package| metadata.workspace_members.contains(&package.id);
    metadata.packages.iter().filter(|package| !ours(package)).collect()
}

/// Which versions our own crates ask for of each crate.
fn versions_of_direct(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in metadata.workspace_packages() {
        for dependency in &package.dependencies {
            versions.entry(dependency.name.clone()).or_default().insert(dependency.req.to_string());
        }
    }
    versions
}
