//! The image is built of what is pinned, and runs as nobody in particular.

use serde_json::Value;

use crate::{
    declared::COMPOSE,
    files::{text, yaml},
};

/// The instructions of the Containerfile, continued lines joined: the first word and the rest.
fn instructions() -> Vec<(String, String)> {
    let joined = text("compose/Containerfile").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let split = lines.map(|line| line.split_once(' ').unwrap_or_else(|| panic!("{line}")));
    split.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

/// What each instruction of this kind says.
fn all(kind: &str) -> Vec<String> {
    let of_kind = instructions().into_iter().filter(|(word, _)| word == kind);
    of_kind.map(|(_, rest)| rest).collect()
}

/// Fails unless an image is named plainly and pinned to a version.
fn is_pinned(image: &str) {
    let (name, tag) = image.split_once(':').unwrap_or_else(|| panic!("{image} has no tag"));
    assert!(!tag.is_empty() && tag != "latest", "{image} is not pinned");
    let host = name.split_once('/').map_or("", |(host, _)| host);
    assert!(!host.contains('.') && host != "localhost", "{image} names a registry");
}

#[test]
fn the_image_is_built_by_the_compiler_that_the_workspace_names_and_of_pinned_images() {
    let bases = all("FROM");
    let [build, end] = bases.as_slice() else { panic!("two steps: {bases:?}") };
    let build = build.strip_suffix(" AS build").expect("a name of the first step");
    for image in [build, end] {
        is_pinned(image);
    }

    let manifest = text("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let version = version.expect("rust-version").trim_matches('"');
    assert!(build.starts_with(&format!("rust:{version}-")), "{build} is not Rust {version}");

    // What is built on one release of Debian runs on it.
    let release = end.trim_start_matches("debian:").trim_end_matches("-slim");
    assert!(build.ends_with(release), "{build} and {end} are of two releases");
    assert!(end.starts_with("debian:") && end.ends_with("-slim"), "{end}");
}

#[test]
fn the_image_runs_the_binary_as_a_user_without_rights() {
    let user = all("USER").pop().expect("a user");
    let (user, group) = user.split_once(':').expect("a user and a group");
    // By numbers, so that Kubernetes can tell that it is not root.
    for id in [user, group] {
        assert!(id.parse::<u32>().is_ok_and(|id| id > 0), "{id} is no number, or root");
    }

    assert_eq!(all("ENTRYPOINT"), [r#"["millrace"]"#]);
    assert!(all("ADD").is_empty(), "COPY does what is meant");
    let steps = all("RUN").join("\n");
    assert!(steps.contains("cargo build --release --locked --bin millrace"), "{steps}");
    assert!(steps.contains("ca-certificates") && steps.contains(" curl"), "{steps}");

    let order: Vec<String> = instructions().into_iter().map(|(word, _)| word).collect();
    let place = |word: &str| order.iter().rposition(|one| one == word);
    assert!(place("RUN") < place("USER"), "nothing is installed as that user");
}

#[test]
fn every_image_of_compose_is_pinned_and_one_service_builds_ours() {
    let compose = yaml(COMPOSE);
    let services = compose["services"].as_object().expect("services");
    for service in services.values().filter(|service| service["image"] != "millrace") {
        is_pinned(service["image"].as_str().expect("an image"));
    }

    let builds: Vec<&Value> =
        services.values().map(|service| &service["build"]).filter(|it| !it.is_null()).collect();
    let [build] = builds.as_slice() else { panic!("one builds: {builds:?}") };
    assert_eq!(build["dockerfile"], "compose/Containerfile");
}
