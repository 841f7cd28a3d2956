//! Why there is no connection to Postgres, in words of what mends it.

/// What mends a connection that could not be made: as a login, or as one of the platform's roles.
pub fn fix(why: &sqlx::Error) -> &'static str {
    let code = why.as_database_error().and_then(|answer| answer.code()).unwrap_or_default();
    of_code(&code)
}

/// By the SQLSTATE of the server's answer; empty where nobody has answered.
fn of_code(code: &str) -> &'static str {
    match code {
        // invalid_password, invalid_authorization_specification
        "28P01" | "28000" => "correct the login and its password in DATABASE_URL",
        // invalid_catalog_name
        "3D000" => "there is no such database: run `millrace migrate --create-roles`",
        // invalid_parameter_value: of the parameter `role`
        "22023" => "there is no such role: run `millrace migrate --create-roles`",
        // insufficient_privilege
        "42501" => {
            "name the login of the processes (of `millrace up`: \
             DATABASE_URL_FILE=.millrace/database-url)"
        }
        // too_many_connections
        "53300" => "raise max_connections of Postgres, or run fewer processes",
        _ => "start it, or correct DATABASE_URL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_is_refused_is_told_apart_from_a_server_that_is_away() {
        assert_eq!(fix(&sqlx::Error::PoolTimedOut), "start it, or correct DATABASE_URL");
        for (code, word) in [
            ("28P01", "password"),
            ("3D000", "database"),
            ("22023", "--create-roles"),
            ("42501", "database-url"),
            ("53300", "max_connections"),
        ] {
            assert!(of_code(code).contains(word), "{code}: {}", of_code(code));
        }
    }
}
