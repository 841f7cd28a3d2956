//! `millrace tenant`, `token` and `user`: companies, their keys and their first people.

use crate::world::World;

#[tokio::test]
async fn a_company_is_made_limited_shown_archived_and_restored() -> anyhow::Result<()> {
    let world = World::begin().await?;
    for (words, said) in [
        (&["tenant", "create", "acme", "--name", "Acme"][..], "tenant acme made"),
        (&["tenant", "create", "acme"], "tenant acme was there already"),
        (&["tenant", "archive", "acme"], "tenant acme archived"),
        (&["tenant", "archive", "acme"], "tenant acme was archived already"),
        (&["tenant", "restore", "acme"], "tenant acme restored"),
    ] {
        let ended = world.millrace(words).await?;
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
    world.millrace(&["tenant", "list"]).await?.says("acme", "");

    let limits = ["tenant", "limits", "acme", "--messages-per-day", "500", "--contacts", "20"];
    assert_eq!(world.millrace(&limits).await?.code, Some(0));
    let limits = ["tenant", "limits", "acme", "--contacts", "none"];
    world.millrace(&limits).await?.says("{", "\"messages_per_day\":500");
    let shown = world.millrace(&["tenant", "show", "acme"]).await?;
    for (start, inside) in [
        ("name ", "Acme"),
        ("most messages a day ", "500"),
        ("most contacts ", "none"),
        ("most brands ", "none"),
    ] {
        shown.says(start, inside);
    }
    let wrong = world.millrace(&["tenant", "limits", "acme", "--contacts", "many"]).await?;
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    Ok(())
}

#[tokio::test]
async fn a_key_is_made_listed_and_revoked_and_nobody_has_one_of_a_company_that_is_not_there()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    for words in [
        &["token", "create", "--tenant", "acme"][..],
        &["token", "list", "--tenant", "acme"],
        &["user", "invite", "ana@example.com", "--tenant", "acme"],
        &["tenant", "show", "acme"],
    ] {
        let ended = world.millrace(words).await?;
        assert_eq!(ended.code, Some(1), "{words:?}: {}", ended.stdout);
        let fix = "there is no tenant acme: make it with `millrace tenant create acme`";
        assert!(ended.stderr.contains(fix), "{words:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{words:?}");
    }

    world.millrace(&["tenant", "create", "acme"]).await?;
    let create = ["token", "create", "--tenant", "acme", "--role", "viewer", "--name", "till"];
    let key = world.millrace(&create).await?.stdout;
    assert!(key.starts_with("mr_live_"), "a key: {}", key.len());

    let list = ["token", "list", "--tenant", "acme"];
    let listed = world.millrace(&list).await?;
    listed.says("", "viewer  works  never used  till");
    assert!(!listed.stdout.contains(key.trim()), "a key is shown once");
    let id = listed.stdout.split(' ').next().unwrap_or_default();
    let revoke = ["token", "revoke", id, "--tenant", "acme"];
    for _ in 0..2 {
        assert_eq!(world.millrace(&revoke).await?.code, Some(0));
    }
    world.millrace(&list).await?.says("", "revoked ");

    let invite = ["user", "invite", "ana@example.com", "--tenant", "acme"];
    let invited = world.millrace(&invite).await?;
    assert!(invited.stdout.starts_with("mr_invite_"), "{}", invited.stderr);
    Ok(())
}
