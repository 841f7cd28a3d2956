//! Every stage has a process, and the binary takes what each process is called with.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use boot::{embedded::Scratch, settings::EXIT_BAD_SETTINGS, shutdown::STOP_LIMIT};
use serde_json::Value;
use stage::StageName;

use crate::{
    declared::{
        COMPOSE, Declared, KUBERNETES, kind_of, made_secrets, of_compose, of_kubernetes, patched,
        services, stages_of_kubernetes,
    },
    files::{root, words, yaml},
};

/// How long an api waits before it drains, so that nothing is sent to it any more.
const LEAVING: Duration = Duration::from_secs(5);

/// The commands of a whole platform.
fn commands(others: &[&[&str]]) -> BTreeSet<Vec<String>> {
    let stages = StageName::ALL.iter().map(|stage| vec!["stage", stage.as_str()]);
    let all = stages.chain(others.iter().map(|words| words.to_vec()));
    all.map(|words| words.into_iter().map(str::to_owned).collect()).collect()
}

fn called_with(declared: &[Declared]) -> BTreeSet<Vec<String>> {
    declared.iter().map(|one| one.args.clone()).collect()
}

#[test]
fn every_stage_is_a_service_and_a_deployment_of_its_name() {
    let others: [&[&str]; 3] = [&["migrate"], &["streams", "apply"], &["api"]];
    assert_eq!(called_with(&of_kubernetes()), commands(&others));
    let others: [&[&str]; 4] = [&["migrate"], &["streams", "apply"], &["api"], &["sandbox"]];
    assert_eq!(called_with(&of_compose()), commands(&others));

    for Declared { name, args, .. } in of_compose().into_iter().chain(of_kubernetes()) {
        let of_stage = args[0] == "stage";
        assert_eq!(&name, if of_stage { &args[1] } else { &args[0] }, "{args:?}");
    }
}

#[test]
fn the_binary_takes_every_command_with_the_settings_and_secrets_that_are_declared() {
    let scratch = Scratch::new().expect("scratch");
    let secrets = make_secrets(scratch.path());

    for declared in of_compose().into_iter().chain(of_kubernetes()) {
        // The last setting that is read is wrong: whoever says so has taken all others.
        let Output { status, stderr, .. } = run(&declared, &secrets, ("RUST_LOG", "["));
        let said = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(EXIT_BAD_SETTINGS.into()), "{declared:?}\n{said}");
        assert!(said.starts_with("millrace: RUST_LOG: "), "{declared:?}\n{said}");
    }
}

/// Runs `compose/secrets` in a folder of its own; gives where the secrets are.
fn make_secrets(scratch: &Path) -> PathBuf {
    let script = scratch.join("secrets");
    std::fs::copy(root().join("compose/secrets"), &script).expect("the script");
    let binary = Path::new(env!("CARGO_BIN_EXE_millrace")).parent().expect("a folder");
    #[expect(clippy::disallowed_methods, reason = "where the script finds its programs")]
    let inherited = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{inherited}", binary.display());
    let run = || Command::new(&script).env("PATH", &path).output().expect("it runs");
    let made = run();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(run().stdout.is_empty(), "what is there stays as it is");
    scratch.join(".secrets")
}

fn run(declared: &Declared, secrets: &Path, wrong: (&str, &str)) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.args(&declared.args).env_clear();
    for (name, value) in &declared.settings {
        let file = value.rsplit('/').next().unwrap_or_default();
        match (name.as_str(), kind_of(&declared.args)) {
            ("NATS_CREDS", Some(kind)) => {
                command.env(name, secrets.join(format!("nats/creds/{kind}.creds")))
            }
            ("NATS_CREDS", None) => &mut command,
            ("NATS_SUBSCRIBER_KEY_FILE", _) => {
                command.env(name, secrets.join("nats/subscribers.key"))
            }
            (name, _) if name.ends_with("_FILE") => command.env(name, secrets.join(file)),
            (name, _) => command.env(name, value),
        };
    }
    command.env(wrong.0, wrong.1).output().expect("it runs")
}

#[test]
fn every_secret_that_a_service_reads_is_given_to_it_and_made_by_the_script() {
    let compose = yaml(COMPOSE);
    let files = compose["secrets"].as_object().expect("secrets");
    let made = made_secrets();

    for (name, service) in compose["services"].as_object().expect("services") {
        let given = given(&service["secrets"]);
        let settings = service["environment"].as_object().into_iter().flatten();
        let read = settings.filter_map(|(_, value)| value.as_str()?.strip_prefix("/run/secrets/"));
        for secret in read {
            let is_given = given.iter().any(|(_, target)| target == secret);
            assert!(is_given, "{name} is not given {secret}");
        }
        for (secret, _) in &given {
            let file = made.get(secret);
            let file = file.unwrap_or_else(|| panic!("compose/secrets does not make {secret}"));
            assert_eq!(files[secret]["file"], file.as_str());
        }
    }
}

/// The secrets of a service, each with the name of its file.
fn given(secrets: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().expect("a name").to_owned();
    let one = |secret: &Value| match secret.as_str() {
        Some(name) => (name.to_owned(), name.to_owned()),
        None => (word(&secret["source"]), word(&secret["target"])),
    };
    secrets.as_array().into_iter().flatten().map(one).collect()
}

#[test]
fn every_process_logs_in_to_nats_with_credentials_of_its_own() {
    for (name, service) in services() {
        let kind = kind_of(&words(&service["command"]));
        let own = kind.map(|kind| (format!("nats-{kind}"), "nats-creds".to_owned()));
        let given = given(&service["secrets"]);
        let of_nats: Vec<_> =
            given.into_iter().filter(|(_, target)| target == "nats-creds").collect();
        assert_eq!(of_nats, Vec::from_iter(own), "{name}");
    }

    let key = "/spec/template/spec/volumes/1/secret/items/0/key";
    for stage in stages_of_kubernetes() {
        assert_eq!(patched(&stage, key), format!("{stage}.creds"));
    }
    let api = &yaml(&format!("{KUBERNETES}/api/deployment.yaml"))["spec"]["template"]["spec"];
    assert_eq!(api["volumes"][0]["secret"]["items"][0]["key"], "api.creds");
    let job = &yaml(&format!("{KUBERNETES}/prepare/job.yaml"))["spec"]["template"]["spec"];
    assert_eq!(job["volumes"][1]["secret"]["items"][0]["key"], "streams.creds");
}

#[test]
fn every_process_is_asked_whether_it_is_ready_and_has_time_to_drain() {
    for (name, service) in services() {
        let ends =
            words(&service["command"]).iter().any(|word| word == "migrate" || word == "apply");
        if ends {
            continue;
        }
        let grace = seconds(&service["stop_grace_period"]);
        assert!(grace > STOP_LIMIT, "{name} has {grace:?}");
        assert_eq!(service["restart"], "unless-stopped", "{name}");

        let listen = service["environment"]["MILLRACE_HEALTH_LISTEN"].as_str().expect("an address");
        let port = listen.rsplit(':').next().expect("a port");
        let ready = format!("http://127.0.0.1:{port}/readyz");
        assert!(words(&service["healthcheck"]["test"]).contains(&ready), "{name}");
    }

    let pod = &yaml(&format!("{KUBERNETES}/process/deployment.yaml"))["spec"]["template"]["spec"];
    let grace = pod["terminationGracePeriodSeconds"].as_u64().expect("a number");
    assert!(Duration::from_secs(grace) > STOP_LIMIT + LEAVING, "{grace} s");
    let container = &pod["containers"][0];
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
}

fn seconds(value: &Value) -> Duration {
    let digits = value.as_str().and_then(|text| text.strip_suffix('s')).expect("seconds");
    Duration::from_secs(digits.parse().expect("a number"))
}

#[test]
fn a_stage_without_a_scaler_says_how_many_there_are() {
    for stage in stages_of_kubernetes() {
        let is_scaled =
            pipeline::consumers::CONSUMERS.iter().any(|one| one.stage.as_str() == stage);
        let replicas = patched(&stage, "/spec/replicas").as_u64();
        assert_eq!(replicas.is_none(), is_scaled, "{stage}: {replicas:?}");
    }
}
