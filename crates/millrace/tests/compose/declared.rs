//! The processes of the binary that the files declare, each with its arguments and settings.

use std::collections::BTreeMap;

use pipeline::access::ProcessKind;
use serde_json::Value;

use crate::files::{env_file, parse, text, words, yaml};

pub(crate) const COMPOSE: &str = "compose/compose.yaml";
pub(crate) const KUBERNETES: &str = "compose/kubernetes";
const SANDBOX: &str = "compose/sandbox.env";

/// One process, as a file declares it.
#[derive(Debug)]
pub(crate) struct Declared {
    /// Its name, such as `enrich`.
    pub(crate) name: String,
    /// What the binary is called with.
    pub(crate) args: Vec<String>,
    /// The variables of its environment.
    pub(crate) settings: BTreeMap<String, String>,
}

/// The services of compose.yaml that run the binary, by their names.
pub(crate) fn services() -> BTreeMap<String, Value> {
    let compose = yaml(COMPOSE);
    let services = compose["services"].as_object().expect("services").clone();
    services.into_iter().filter(|(_, service)| service["image"] == "millrace").collect()
}

/// The processes of compose.yaml, without and with the settings of the simulator.
pub(crate) fn of_compose() -> Vec<Declared> {
    let plain = BTreeMap::new();
    let sandbox: BTreeMap<String, String> = env_file(SANDBOX).into_iter().collect();
    [plain, sandbox].iter().flat_map(of_compose_under).collect()
}

fn of_compose_under(machine: &BTreeMap<String, String>) -> Vec<Declared> {
    let declared = services().into_iter().map(|(name, service)| {
        let settings = service["environment"].as_object().expect("an environment");
        let value = |value: &Value| {
            let plain = value.as_str().map(str::to_owned);
            substituted(&plain.unwrap_or_else(|| value.to_string()), machine)
        };
        let settings = settings.iter().map(|(name, it)| (name.clone(), value(it))).collect();
        Declared { name, args: words(&service["command"]), settings }
    });
    declared.collect()
}

/// A value with its `${NAME:-default}` as compose reads it: empty counts as not given.
fn substituted(value: &str, machine: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = value.split_once("${") else { return value.to_owned() };
    let (variable, after) = rest.split_once('}').expect("a closing brace");
    let (name, default) = variable.split_once(":-").expect("a default");

    let given = machine.get(name).filter(|given| !given.is_empty());
    let found = given.map_or(default, String::as_str);
    format!("{before}{found}{}", substituted(after, machine))
}

/// The processes of the Kubernetes manifests.
pub(crate) fn of_kubernetes() -> Vec<Declared> {
    let settings: BTreeMap<String, String> =
        env_file(&format!("{KUBERNETES}/settings/settings.env")).into_iter().collect();
    let declared = |name: &str, args: &Value| Declared {
        name: name.to_owned(),
        args: words(args),
        settings: settings.clone(),
    };

    let mut found = Vec::new();
    let job = yaml(&format!("{KUBERNETES}/prepare/job.yaml"));
    for part in ["initContainers", "containers"] {
        for container in job["spec"]["template"]["spec"][part].as_array().expect("containers") {
            found.push(declared(container["name"].as_str().expect("a name"), &container["args"]));
        }
    }

    let api = yaml(&format!("{KUBERNETES}/api/deployment.yaml"));
    let container = &api["spec"]["template"]["spec"]["containers"][0];
    found.push(declared("api", &container["args"]));

    for stage in stages_of_kubernetes() {
        found.push(declared(&stage, &patched(&stage, "/spec/template/spec/containers/0/args")));
    }
    found
}

/// The stages that the manifests deploy.
pub(crate) fn stages_of_kubernetes() -> Vec<String> {
    let resources = words(&yaml(&format!("{KUBERNETES}/kustomization.yaml"))["resources"]);
    let stages = resources.iter().filter_map(|resource| resource.strip_prefix("stages/"));
    stages.map(str::to_owned).collect()
}

/// What the patch of a stage puts at this path; null where it leaves it alone.
pub(crate) fn patched(stage: &str, path: &str) -> Value {
    let file = format!("{KUBERNETES}/stages/{stage}/kustomization.yaml");
    let kustomization = yaml(&file);
    assert_eq!(kustomization["nameSuffix"], format!("-{stage}"), "{file}");
    let label = &kustomization["labels"][0]["pairs"]["app.kubernetes.io/component"];
    assert_eq!(label, stage, "{file}");

    let patch = kustomization["patches"][0]["patch"].as_str().expect("a patch");
    let steps = parse(&file, patch).remove(0);
    let step = steps.as_array().into_iter().flatten().find(|step| step["path"] == path);
    step.map_or(Value::Null, |step| step["value"].clone())
}

/// The secrets that `compose/secrets` makes, each with its file.
pub(crate) fn made_secrets() -> BTreeMap<String, String> {
    let script = text("compose/secrets");
    let made = script.lines().filter_map(|line| line.split_once("| keep "));
    let own = made.map(|(_, name)| (name.to_owned(), format!("./.secrets/{name}")));

    let of_nats = ProcessKind::all()
        .map(|kind| (format!("nats-{kind}"), format!("./.secrets/nats/creds/{kind}.creds")));
    let signer = ("nats-subscribers".to_owned(), "./.secrets/nats/subscribers.key".to_owned());
    own.chain(of_nats).chain([signer]).collect()
}

/// The kind of process that is called like this, where it talks to the broker.
pub(crate) fn kind_of(args: &[String]) -> Option<ProcessKind> {
    let name = args.iter().find(|word| *word != "stage")?;
    ProcessKind::all().find(|kind| kind.as_str() == name)
}
