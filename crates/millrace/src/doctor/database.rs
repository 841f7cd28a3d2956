//! Whether Postgres is there and new enough, has the roles with what they need, and the schema of
//! this version.

use boot::{settings::Settings, tools::OLDEST_POSTGRES};
use secrecy::ExposeSecret;
use store::core::{
    inspect::{self, Inspection, RoleFacts, SchemaState},
    login,
};

use super::report::{Report, within};

/// So many missing privileges are told one by one.
const TOLD: usize = 5;

/// Gives the connection, where there is one.
pub(super) async fn check(report: &mut Report, settings: &Settings) -> Option<Inspection> {
    let url = match settings.need_database() {
        Ok(url) => url.expose_secret(),
        Err(why) => {
            report.fail("Postgres", why, "set it as for the processes");
            return None;
        }
    };
    // The outer error is time that is up.
    let connecting = async { Ok::<_, String>(Inspection::begin(url).await) };
    let mut postgres = match within(connecting).await {
        Ok(Ok(postgres)) => postgres,
        Ok(Err(why)) => {
            report.fail("Postgres", &why, login::fix(&why));
            return None;
        }
        Err(why) => {
            report.fail("Postgres", why, "start it, or correct DATABASE_URL");
            return None;
        }
    };

    server(report, &mut postgres).await;
    if roles(report, &mut postgres).await {
        schema(report, url).await;
        privileges(report, &mut postgres).await;
    } else {
        report.skip("schema", "it takes the roles");
    }
    Some(postgres)
}

async fn server(report: &mut Report, postgres: &mut Inspection) {
    match within(postgres.server()).await {
        Err(why) => report.fail("Postgres", why, "see what its log says"),
        Ok(facts) if facts.major < OLDEST_POSTGRES => {
            let fix = format!("{OLDEST_POSTGRES} or newer is needed");
            report.fail("Postgres", format!("version {}", facts.version), fix);
        }
        Ok(facts) if facts.is_superuser => {
            let found = format!("version {}, and {} is a superuser", facts.version, facts.login);
            report.warn("Postgres", found, "name a login in DATABASE_URL that is none");
        }
        Ok(facts) => {
            report.ok("Postgres", format!("version {} as {}", facts.version, facts.login));
        }
    }
}

/// Whether the login may work as every role.
async fn roles(report: &mut Report, postgres: &mut Inspection) -> bool {
    let what = "database roles";
    let facts = match within(postgres.roles()).await {
        Ok(facts) => facts,
        Err(why) => {
            report.fail(what, why, "see what the log of Postgres says");
            return false;
        }
    };

    let mut all_work = true;
    for RoleFacts { role, is_there, is_granted, sees_all } in &facts {
        let name = role.as_str();
        if !is_there {
            let fix = "run `millrace migrate --create-roles` with the URL of an administrator";
            report.fail(what, format!("there is no role {name}"), fix);
        } else if !is_granted {
            let fix = format!(
                "use the platform's own login (of `millrace up`: \
                 DATABASE_URL_FILE=.millrace/database-url); as a superuser: grant {name} to it"
            );
            report.fail(what, format!("the login may not work as {name}"), fix);
        } else if *sees_all {
            let fix = format!("as a superuser: alter role {name} nosuperuser nobypassrls");
            report.fail(what, format!("{name} passes over row-level security"), fix);
        }
        all_work &= *is_there && *is_granted;
    }

    if facts.iter().all(|facts| facts.is_granted && !facts.sees_all) {
        let names: Vec<&str> = facts.iter().map(|facts| facts.role.as_str()).collect();
        report.ok(what, format!("the login may work as {}", names.join(", ")));
    }
    all_work
}

async fn schema(report: &mut Report, url: &str) {
    match within(inspect::schema(url)).await {
        Err(why) => report.fail("schema", why, "see that the login may work as millrace_owner"),
        Ok(SchemaState::Current(count)) => {
            report.ok("schema", format!("{count} migrations, as this version has them"));
        }
        Ok(SchemaState::Missing(count)) => {
            report.fail(
                "schema",
                format!("{count} migrations are missing"),
                "run `millrace migrate`",
            );
        }
        Ok(SchemaState::Changed(number)) => {
            let fix = "run the version of millrace that made this schema, or begin anew";
            report.fail("schema", format!("migration {number} was another one"), fix);
        }
        Ok(SchemaState::Newer(number)) => {
            let found = format!("migration {number} is of a newer version");
            report.fail("schema", found, "run that version of millrace");
        }
    }
}

async fn privileges(report: &mut Report, postgres: &mut Inspection) {
    let what = "database privileges";
    let lacking = match within(postgres.lacking()).await {
        Ok(lacking) => lacking,
        Err(why) => return report.fail(what, why, "see what the log of Postgres says"),
    };
    for text in lacking.iter().take(TOLD) {
        report.fail(what, text, "as millrace_owner: grant it again");
    }
    if lacking.len() > TOLD {
        let found = format!("{} more", lacking.len() - TOLD);
        report.fail(what, found, "as millrace_owner: grant them again, as migrations/ does");
    }
    if lacking.is_empty() {
        report.ok(what, "api and pipeline may do what the migrations grant them");
    }
}
