//! Codes and links: asked for, said, used up, and what a stranger learns of it.

use reqwest::Method;
use serde_json::{Value, json};
use store::{core::seal::Sealer, people::notices::NoticeText, settings::api_keys::KeyRole};

use crate::harness::{Answer, Caller, World, send};

pub(crate) const PASSWORD: &str = "a mill by the river";

/// A platform that mails and texts, and on which what has changed is known at once.
pub(crate) async fn world() -> World {
    World::start_with(|settings| {
        settings.fresh = std::time::Duration::ZERO;
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        (settings.sign_in.mail, settings.sign_in.texts) = (true, true);
    })
    .await
}

/// What is to be said, the oldest first, with how.
pub(crate) async fn said(world: &World) -> Vec<(String, NoticeText)> {
    let sql = "select channel, sealed from millrace.notices order by notice_id";
    let mut db = world.database.superuser().await.unwrap();
    let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut db).await.unwrap();
    let sealer = Sealer::new(&[[1; 32]]);
    let open = |(channel, sealed): (String, String)| {
        (channel, NoticeText::open(&sealed, &sealer).unwrap())
    };
    rows.into_iter().map(open).collect()
}

/// The newest code that was said.
pub(crate) async fn code(world: &World) -> String {
    let (_, newest) = said(world).await.pop().expect("something was said");
    let digits: Vec<&str> = newest.text.split(|c: char| !c.is_ascii_digit()).collect();
    let code = digits.into_iter().find(|digits| digits.len() == 6);
    code.unwrap_or_else(|| panic!("{}", newest.text)).to_owned()
}

/// Somebody who has signed up with an address of mail; their tokens.
pub(crate) async fn founder(world: &World, email: &str, company: &str) -> Value {
    let nobody = world.with_token("");
    let new = json!({ "email": email, "company": company, "name": "Mia" });
    nobody.post("/v1/auth/signup", &new).await.expect(202);
    let verify = json!({ "to": email, "code": code(world).await, "password": PASSWORD });
    nobody.post("/v1/auth/otp/verify", &verify).await.expect(200)
}

pub(crate) fn with(world: &World, tokens: &Value) -> Caller {
    world.with_token(tokens["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn an_invitation_is_mailed_and_a_sixth_within_an_hour_is_not() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let ana = json!({ "email": "ana@example.com", "role": "viewer" });
    let invited = owner.post("/v1/invitations", &ana).await.expect(201);
    assert_eq!(invited["mailed"], true);

    let (channel, mail) = said(&world).await.pop().expect("a mail");
    assert_eq!((channel.as_str(), mail.to.as_str()), ("mail", "ana@example.com"));
    let link = format!("/sign-in#{}\n", invited["code"].as_str().unwrap());
    assert!(mail.text.contains(&link), "{}", mail.text);

    for _ in 0..4 {
        assert_eq!(owner.post("/v1/invitations", &ana).await.expect(201)["mailed"], true);
    }
    let sixth = owner.post("/v1/invitations", &ana).await.expect(201);
    assert_eq!(sixth["mailed"], false);
    assert_eq!(said(&world).await.len(), 5);

    // The last one is good, though its code has to be given by hand; and she signs in as ever.
    let accepted = json!({ "code": sixth["code"], "name": "Ana", "password": PASSWORD });
    let nobody = world.with_token("");
    nobody.post("/v1/auth/accept-invitation", &accepted).await.expect(201);
    nobody.post("/v1/auth/otp", &json!({ "to": "ana@example.com" })).await.expect(202);
}

/// A code that is not this one.
pub(crate) fn another(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// A POST of somebody at this address of the network.
async fn from(world: &World, place: &str, path: &str, body: &Value) -> Answer {
    let request = world.with_token("").request(Method::POST, path);
    send(request.header("X-Forwarded-For", place).json(body)).await
}

#[tokio::test]
async fn a_company_is_founded_by_a_code_and_its_owner_signs_in_in_every_way() {
    let world = world().await;
    let tokens = founder(&world, "Mia@Example.com", "Mia's Mill").await;
    assert!(tokens["tenant"].as_str().unwrap().starts_with("mias-mill-"), "{tokens}");
    assert_eq!(tokens["role"], "owner");
    let mia = with(&world, &tokens);
    let me = mia.get("/v1/me").await.expect(200);
    assert_eq!(me["person"]["email"], "mia@example.com");
    assert_eq!(me["person"]["email_verified"], true);
    let trail = mia.get("/v1/audit?action=tenant.signed_up").await.expect(200);
    assert_eq!(trail["data"].as_array().unwrap().len(), 1);

    let nobody = world.with_token("");
    let log_in = json!({ "email": "mia@example.com", "password": PASSWORD });
    nobody.post("/v1/auth/login", &log_in).await.expect(200);
    nobody.post("/v1/auth/otp", &json!({ "to": "mia@example.com" })).await.expect(202);
    let verify = json!({ "to": "mia@example.com", "code": code(&world).await });
    let again = nobody.post("/v1/auth/otp/verify", &verify).await.expect(200);
    assert_eq!(again["person"]["id"], tokens["person"]["id"]);
    nobody.post("/v1/auth/otp/verify", &verify).await.problem(401);

    nobody.post("/v1/auth/magic-link", &json!({ "email": "mia@example.com" })).await.expect(202);
    let (_, mail) = said(&world).await.pop().unwrap();
    let (_, rest) = mail.text.split_once("/sign-in#").expect("a link");
    let link = json!({ "token": rest.split_whitespace().next() });
    let linked = nobody.post("/v1/auth/magic-link/verify", &link).await.expect(200);
    assert_eq!(linked["person"]["id"], tokens["person"]["id"]);
    nobody.post("/v1/auth/magic-link/verify", &link).await.problem(401);
}

#[tokio::test]
async fn a_newer_code_takes_the_place_of_the_one_before_and_ten_minutes_end_it() {
    let world = world().await;
    founder(&world, "mia@example.com", "Mia").await;
    let (nobody, ask) = (world.with_token(""), json!({ "to": "mia@example.com" }));
    nobody.post("/v1/auth/otp", &ask).await.expect(202);
    let first = code(&world).await;
    nobody.post("/v1/auth/otp", &ask).await.expect(202);
    let second = code(&world).await;

    let verify = |code: &str| json!({ "to": "mia@example.com", "code": code });
    if first != second {
        nobody.post("/v1/auth/otp/verify", &verify(&first)).await.problem(401);
    }
    world.run("update millrace.codes set ends_at = now()").await;
    nobody.post("/v1/auth/otp/verify", &verify(&second)).await.problem(401);
    nobody.post("/v1/auth/otp", &ask).await.expect(202);
    let third = code(&world).await;
    let spaced = format!("{} {}", &third[..3], &third[3..]);
    nobody.post("/v1/auth/otp/verify", &verify(&spaced)).await.expect(200);
}

#[tokio::test]
async fn five_wrong_codes_end_the_right_one() {
    let world = world().await;
    founder(&world, "mia@example.com", "Mia").await;
    let nobody = world.with_token("");
    nobody.post("/v1/auth/otp", &json!({ "to": "mia@example.com" })).await.expect(202);
    let right = code(&world).await;
    let verify = |code: &str| json!({ "to": "mia@example.com", "code": code });
    for _ in 0..5 {
        nobody.post("/v1/auth/otp/verify", &verify(&another(&right))).await.problem(401);
    }
    nobody.post("/v1/auth/otp/verify", &verify(&right)).await.problem(401);
}

#[tokio::test]
async fn neither_answer_nor_work_says_whether_anybody_has_an_address() {
    let world = world().await;
    founder(&world, "mia@example.com", "Mia").await;
    world
        .run(
            "insert into millrace.persons (person_id, phone, phone_verified_at, name, created_at)
               values (gen_random_uuid(), '+12125550123', now(), 'Ana', now())",
        )
        .await;

    for (path, field, known, unknown) in [
        ("/v1/auth/otp", "to", "mia@example.com", "ben@example.com"),
        ("/v1/auth/otp", "to", "+12125550123", "+12125550124"),
        ("/v1/auth/magic-link", "email", "mia@example.com", "ben@example.com"),
        ("/v1/auth/password-reset", "to", "mia@example.com", "ben@example.com"),
    ] {
        let mut seen = Vec::new();
        for address in [known, unknown] {
            let empty = "delete from millrace.codes; delete from millrace.notices;
                         delete from millrace.code_counts";
            world.run(empty).await;
            let answer = world.with_token("").post(path, &json!({ field: address })).await;
            let body = answer.expect(202);
            let rows = [
                world.number("select count(*) from millrace.codes").await,
                world.number("select count(*) from millrace.notices").await,
                world.number("select count(*) from millrace.code_counts").await,
                world.number("select sum(asked) from millrace.code_counts").await,
            ];
            let (channel, mail) =
                said(&world).await.pop().expect("a row to be said, or thrown away");
            assert_eq!(channel == "none", address == unknown, "{path}: {channel}");
            assert_eq!(mail.to, address);
            seen.push((body, rows, mail.text.len(), mail.subject));
        }
        assert_eq!(seen[0], seen[1], "{path}");
    }

    // A code that is wrong is counted as one of somebody whom nobody knows.
    let mut answers = Vec::new();
    for to in ["mia@example.com", "ben@example.com", "carl@example.com"] {
        let verify = json!({ "to": to, "code": "000000" });
        answers.push(world.with_token("").post("/v1/auth/otp/verify", &verify).await.expect(401));
    }
    assert!(answers.iter().all(|answer| answer["detail"] == answers[0]["detail"]), "{answers:?}");
}

#[tokio::test]
async fn who_is_known_is_told_so_by_mail_and_the_answer_to_a_sign_up_is_the_same() {
    let world = world().await;
    let tokens = founder(&world, "mia@example.com", "Mia").await;
    let nobody = world.with_token("");
    let new = |email: &str| json!({ "email": email, "company": "Other", "name": "Eve" });
    let unknown = nobody.post("/v1/auth/signup", &new("ben@example.com")).await.expect(202);
    let known = nobody.post("/v1/auth/signup", &new("mia@example.com")).await.expect(202);
    assert_eq!(known, unknown);

    let (_, mail) = said(&world).await.pop().unwrap();
    assert!(mail.text.contains("signed up for Millrace before"), "{}", mail.text);
    let verify = json!({ "to": "mia@example.com", "code": code(&world).await });
    let signed_in = nobody.post("/v1/auth/otp/verify", &verify).await.expect(200);
    let who = |tokens: &Value| (tokens["person"].clone(), tokens["tenant"].clone());
    assert_eq!(who(&signed_in), who(&tokens));
}

#[tokio::test]
async fn of_two_who_use_a_sign_up_at_once_one_founds_a_company() {
    let world = world().await;
    let nobody = world.with_token("");
    let new = json!({ "email": "mia@example.com", "company": "Mia", "name": "Mia" });
    nobody.post("/v1/auth/signup", &new).await.expect(202);
    let verify = json!({ "to": "mia@example.com", "code": code(&world).await });
    let (one, other) = tokio::join!(
        nobody.post("/v1/auth/otp/verify", &verify),
        nobody.post("/v1/auth/otp/verify", &verify),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    assert_eq!(world.number("select count(*) from millrace.tenants").await, 1);
    assert_eq!(world.number("select count(*) from millrace.persons").await, 1);
}

#[tokio::test]
async fn two_companies_of_one_name_have_keys_of_their_own_which_say_nothing_of_the_other() {
    let world = world().await;
    let first = founder(&world, "mia@example.com", "Acme, Inc.").await;
    let second = founder(&world, "ben@example.com", "ACME Inc").await;
    assert_ne!(first["tenant"], second["tenant"]);
    for tokens in [&first, &second] {
        let key = tokens["tenant"].as_str().unwrap();
        assert!(key.starts_with("acme-inc-") && key.len() == 17, "{key}");
    }
    let seen = with(&world, &second).get("/v1/users").await.expect(200);
    assert_eq!(seen["data"].as_array().unwrap().len(), 1, "{seen}");
}

#[tokio::test]
async fn who_asks_too_often_waits_and_from_another_place_it_goes_on() {
    let world = world().await;
    let ask = json!({ "to": "mia@example.com" });
    for _ in 0..5 {
        from(&world, "192.0.2.1", "/v1/auth/otp", &ask).await.expect(202);
    }
    let late = from(&world, "192.0.2.1", "/v1/auth/otp", &ask).await;
    assert!(late.headers.contains_key("retry-after"));
    late.problem(429);
    from(&world, "192.0.2.2", "/v1/auth/otp", &ask).await.expect(202);

    world.run("update millrace.code_counts set asked = 60 where kind = 'place'").await;
    let other = json!({ "to": "ben@example.com" });
    from(&world, "192.0.2.2", "/v1/auth/otp", &other).await.problem(429);
    let company = json!({ "email": "eve@example.com", "company": "Eve", "name": "Eve" });
    from(&world, "192.0.2.2", "/v1/auth/signup", &company).await.problem(429);
    from(&world, "192.0.2.3", "/v1/auth/otp", &other).await.expect(202);

    world.run("update millrace.code_counts set asked = 20 where kind = 'address'").await;
    from(&world, "192.0.2.4", "/v1/auth/otp", &ask).await.problem(429);
}

#[tokio::test]
async fn a_country_from_which_few_codes_come_back_is_held_and_others_are_not() {
    let world = world().await;
    let new = |phone: &str| json!({ "phone": phone, "company": "Pump", "name": "Eve" });
    let nobody = world.with_token("");
    nobody.post("/v1/auth/signup", &new("+12125550100")).await.expect(202);
    world
        .run("update millrace.code_counts set texted = 40, verified = 8 where kind = 'prefix'")
        .await;
    nobody.post("/v1/auth/signup", &new("+12125550101")).await.expect(202);

    world.run("update millrace.code_counts set verified = 7 where kind = 'prefix'").await;
    nobody.post("/v1/auth/signup", &new("+12125550102")).await.problem(429);
    nobody.post("/v1/auth/otp", &json!({ "to": "+12125550103" })).await.problem(429);
    assert_eq!(world.number("select count(*) from millrace.held_prefixes").await, 1);
    nobody.post("/v1/auth/signup", &new("+13055550100")).await.expect(202);

    world
        .run(
            "update millrace.held_prefixes set ends_at = now();
               update millrace.code_counts set verified = 30 where kind = 'prefix'",
        )
        .await;
    nobody.post("/v1/auth/signup", &new("+12125550104")).await.expect(202);
}

#[tokio::test]
async fn a_code_that_comes_back_counts_for_its_country() {
    let world = world().await;
    let nobody = world.with_token("");
    let new = json!({ "phone": "+1 212 555 0100", "company": "Ana", "name": "Ana" });
    nobody.post("/v1/auth/signup", &new).await.expect(202);
    let verify = json!({ "to": "(212) 555-0100", "code": "1" });
    nobody.post("/v1/auth/otp/verify", &verify).await.problem(422);
    let verify = json!({ "to": "+12125550100", "code": code(&world).await });
    let tokens = nobody.post("/v1/auth/otp/verify", &verify).await.expect(200);
    assert_eq!(tokens["person"]["phone"], "+12125550100");
    assert_eq!(tokens["person"]["email"], Value::Null);
    let counted = "select sum(texted * 10 + verified) from millrace.code_counts";
    assert_eq!(world.number(counted).await, 11);
}

#[tokio::test]
async fn a_reset_sets_a_password_and_ends_every_session() {
    let world = world().await;
    let tokens = founder(&world, "mia@example.com", "Mia").await;
    let nobody = world.with_token("");
    let ask = json!({ "to": "mia@example.com" });
    nobody.post("/v1/auth/password-reset", &ask).await.expect(202);
    let code = code(&world).await;
    let reset =
        |password: &str| json!({ "to": "mia@example.com", "code": code, "password": password });
    let weak = nobody.post("/v1/auth/password-reset/verify", &reset("password1234")).await;
    assert_eq!(weak.problem(422)[0].1, "common", "and the code is good still");
    let signs_in = json!({ "to": "mia@example.com", "code": code });
    nobody.post("/v1/auth/otp/verify", &signs_in).await.problem(401);
    let path = "/v1/auth/password-reset/verify";
    nobody.post(path, &reset("a wheel in the water")).await.expect(204);
    nobody.post(path, &reset("a wheel in the water")).await.problem(401);

    with(&world, &tokens).get("/v1/me").await.problem(401);
    let log_in = |password: &str| json!({ "email": "mia@example.com", "password": password });
    nobody.post("/v1/auth/login", &log_in(PASSWORD)).await.problem(401);
    let tokens = nobody.post("/v1/auth/login", &log_in("a wheel in the water")).await.expect(200);
    let trail = with(&world, &tokens).get("/v1/audit?action=user.password_reset").await.expect(200);
    assert_eq!(trail["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn without_mail_and_texts_a_problem_names_the_setting_and_sign_ups_can_be_closed() {
    let world = World::start_with(|settings| settings.sign_in.sign_up = false).await;
    let nobody = world.with_token("");
    for (path, body, setting) in [
        ("/v1/auth/otp", json!({ "to": "ana@example.com" }), "MILLRACE_SMTP_URL"),
        ("/v1/auth/otp", json!({ "to": "+12125550123" }), "MILLRACE_CODES_TENANT"),
        ("/v1/auth/magic-link", json!({ "email": "ana@example.com" }), "MILLRACE_SMTP_URL"),
        ("/v1/auth/password-reset", json!({ "to": "ana@example.com" }), "MILLRACE_SMTP_URL"),
    ] {
        let answer = nobody.post(path, &body).await.expect(503);
        assert!(answer["detail"].as_str().unwrap().contains(setting), "{answer}");
    }
    let new = json!({ "email": "ana@example.com", "company": "Ana", "name": "Ana" });
    let answer = nobody.post("/v1/auth/signup", &new).await.expect(403);
    assert!(answer["detail"].as_str().unwrap().contains("MILLRACE_SIGN_UP"), "{answer}");
    assert_eq!(world.number("select count(*) from millrace.codes").await, 0);
}

#[tokio::test]
async fn more_notices_than_fit_are_refused() {
    let world = world().await;
    world
        .run(
            "insert into millrace.notices (notice_id, channel, sealed, due_at, ends_at)
             select gen_random_uuid(), 'mail', '', now(), now() from generate_series(1, 10000)",
        )
        .await;
    let nobody = world.with_token("");
    nobody.post("/v1/auth/otp", &json!({ "to": "ana@example.com" })).await.problem(503);
    world.run("delete from millrace.notices").await;
    nobody.post("/v1/auth/otp", &json!({ "to": "ana@example.com" })).await.expect(202);
}
