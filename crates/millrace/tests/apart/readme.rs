//! The README's first lines and the guides, run as they stand on what the demo has left.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::{process::Command, time::timeout};

use crate::support::Apart;

const README: &str = include_str!("../../../../README.md");

/// Where the guides are.
const GUIDES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides");

/// How long the README's lines may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a guide may take.
const PATIENCE_WITH_A_GUIDE: Duration = Duration::from_secs(90);

/// What every answer of the api says that is an error.
const REFUSAL: &str = "urn:millrace:problem:";

/// The blocks of shell in a page.
fn blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next())
}

/// The blocks that call the API, each of six lines: a text by the demo's pool within the first
/// screen, and one of a company that has just signed up.
fn lines() -> anyhow::Result<[&'static str; 2]> {
    let mut calling = blocks(README).filter(|block| block.contains("curl"));
    let mut next = || calling.next().context("two blocks of curl");
    let lines = [next()?, next()?];

    let before = README.lines().take_while(|line| !line.contains("curl")).count();
    ensure!(lines.iter().all(|block| block.lines().count() == 6), "six lines");
    ensure!(before + 6 <= 40, "within the first screen, and not behind line {before}");
    Ok(lines)
}

/// Every guide, in the order of their names.
fn guides() -> anyhow::Result<Vec<PathBuf>> {
    let mut guides = Vec::new();
    for entry in fs::read_dir(GUIDES)? {
        guides.push(entry?.path());
    }
    guides.sort();
    ensure!(!guides.is_empty(), "no guides in {GUIDES}");
    Ok(guides)
}

impl Apart {
    /// Runs the README's lines; gives the message that the last of them shows.
    pub async fn follow_readme(&self) -> anyhow::Result<Value> {
        let [text, sign_up] = lines()?;
        let said = self.follow("README", text, PATIENCE).await?;
        let last: Value = serde_json::from_str(said.lines().last().context("nothing was said")?)?;

        let said = self.follow("README-sign-up", sign_up, PATIENCE).await?;
        let own = said.lines().last().context("nothing was said")?;
        ensure!(own.contains("\"id\""), "the company's text was accepted: {own}");
        Ok(last["data"][0].clone())
    }

    /// Runs all lines of each guide.
    pub async fn follow_guides(&self) -> anyhow::Result<()> {
        for guide in guides()? {
            let name = guide.file_stem().context("a name")?.to_string_lossy();
            let page = fs::read_to_string(&guide)?;
            let lines: String = blocks(&page).collect();
            ensure!(lines.contains("curl"), "{name} calls nobody");
            self.follow(&name, &lines, PATIENCE_WITH_A_GUIDE).await?;
        }
        Ok(())
    }

    /// Runs lines of a page where `make up` was called; gives what they say. What goes wrong is
    /// told with all that was said, and the line that it was at.
    async fn follow(&self, page: &str, lines: &str, limit: Duration) -> anyhow::Result<String> {
        // say where everything is
        let home = self.home()?;
        let (said, traced) = (home.join(format!("{page}.out")), home.join(format!("{page}.err")));
        let lines = format!("PATH='{}':\"$PATH\"\n{lines}", programs()?);
        let mut shell = Command::new("sh");
        self.configure(&mut shell);
        let endpoints = self.endpoints();
        for (variable, name) in [("API", "api"), ("SANDBOX", "sandbox")] {
            shell.env(variable, endpoints[name].as_str().context("an address")?);
        }

        // run; files keep what is said until the time is over
        shell.args(["-eux", "-c", &lines]).current_dir(&home);
        shell.stdout(File::create(&said)?).stderr(File::create(&traced)?);
        let ended = timeout(limit, shell.status()).await;
        let [said, traced] = [said, traced].map(|path| read(&path));

        // judge
        let went_wrong = match ended {
            Err(_) => format!("did not end within {limit:?}"),
            Ok(status) => match status? {
                status if !status.success() => format!("ended with {status}"),
                _ if said.contains(REFUSAL) || traced.contains(REFUSAL) => "was refused".into(),
                _ => return Ok(said),
            },
        };
        bail!("{page} {went_wrong}\n\n{traced}\n{said}")
    }

    /// A directory as the one in which `make up` was called.
    fn home(&self) -> anyhow::Result<PathBuf> {
        let home = self.scratch().join("home");
        let data = home.join(".millrace");
        fs::create_dir_all(&data)?;
        fs::write(data.join("api-key"), self.key())?;
        fs::write(data.join("endpoints.json"), format!("{:#}\n", self.endpoints()))?;
        Ok(home)
    }
}

/// The directories of `millrace` and of a `python3` that has the client of NATS, as in `PATH`.
fn programs() -> anyhow::Result<String> {
    let python = boot::tools::python().context("run scripts/setup --tests")?;
    let folder = |program: &Path| anyhow::Ok(program.parent().context("a folder")?.to_owned());
    let millrace = folder(Path::new(env!("CARGO_BIN_EXE_millrace")))?;
    Ok(format!("{}:{}", millrace.display(), folder(python.as_path())?.display()))
}

/// What a file holds; nothing where it cannot be read.
fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
