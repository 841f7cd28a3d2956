//! Who finds a permit, and when.

use super::*;

const LONG: Duration = Duration::from_secs(3_600);

/// The tenant of this name, and an account of its.
fn payer(tenant: &str, account: &'static str) -> Payer<'static> {
    let tenant = format!("of-{tenant}").parse().expect("valid");
    Payer { account, tenant: Box::leak(Box::new(tenant)) }
}

/// An account with a tenant of its own.
fn own(account: &'static str) -> Payer<'static> {
    payer(account, account)
}

async fn take(
    permits: &Arc<Permits>,
    lane: Lane,
    indexes: std::ops::Range<usize>,
    payer: Payer<'static>,
) -> Taken {
    let until = Instant::now() + Duration::from_millis(50);
    permits.take(lane, &mut indexes.collect(), until, |_| payer).await
}

/// Calls of accounts that have answered at once before.
async fn quick(total: usize, accounts: &[Payer<'static>]) -> Arc<Permits> {
    let permits = Permits::new(total);
    for account in accounts {
        let mut taken = take(&permits, Lane::Urgent, 0..1, *account).await;
        taken.with[0].1.begin_call();
    }
    permits
}

/// What is noted of an account's own calls.
fn slow_rate(permits: &Arc<Permits>, payer: Payer<'static>) -> Option<f64> {
    permits.slow_rates(&[payer]).get(payer.account).map(|rate| rate.per_second)
}

fn begin(taken: &mut Taken) {
    taken.with.iter_mut().for_each(|(_, permit)| permit.begin_call());
}

async fn after(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

fn indexes(taken: &Taken) -> Vec<usize> {
    taken.with.iter().map(|(index, _)| *index).collect()
}

#[tokio::test(start_paused = true)]
async fn a_chunk_is_as_big_as_there_are_free_permits() {
    let (even, odd) = (own("even"), own("odd"));
    let permits = quick(16, &[even, odd]).await;
    let mut waiting: VecDeque<usize> = (0..40).collect();
    let payer_of = |index: usize| if index.is_multiple_of(2) { even } else { odd };
    let until = Instant::now() + LONG;

    let first = permits.take(Lane::Urgent, &mut waiting, until, payer_of).await;
    assert_eq!(indexes(&first), (0..16).collect::<Vec<_>>());

    let mut rest = first;
    rest.with.truncate(4);
    let second = permits.take(Lane::Urgent, &mut waiting, until, payer_of).await;
    assert_eq!(second.with.len(), 4, "each has a quarter while the other waits");
    assert_eq!(waiting.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn one_account_never_takes_all_permits_and_bulk_leaves_some_to_urgent() {
    let (a, b) = (own("a"), own("b"));
    let permits = quick(16, &[a, b]).await;
    let held = take(&permits, Lane::Urgent, 0..40, a).await;
    assert_eq!(held.with.len(), 12);

    let other = take(&permits, Lane::Urgent, 0..1, own("other")).await;
    assert_eq!(other.with.len(), 1);
    drop((held, other));
    after(1).await;

    let mut bulk: VecDeque<usize> = (0..40).collect();
    let until = Instant::now() + LONG;
    let payer_of = |index: usize| if index < 20 { a } else { b };
    let held = permits.take(Lane::Bulk, &mut bulk, until, payer_of).await;
    assert_eq!(held.with.len(), 12);
    assert_eq!(take(&permits, Lane::Urgent, 0..1, own("c")).await.with.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_account_has_a_quarter_and_what_is_beyond_does_not_wait() {
    let (slow, fast) = (own("slow"), own("fast"));
    let permits = quick(16, &[slow, fast]).await;
    let mut held = take(&permits, Lane::Urgent, 0..40, slow).await;
    begin(&mut held);
    after(2).await;
    held.with.truncate(3);
    assert_eq!(slow_rate(&permits, slow), Some(2.0), "four calls of two seconds");

    let more = take(&permits, Lane::Urgent, 50..60, slow).await;
    assert_eq!((more.with.len(), more.without.len()), (1, 9));
    let other = take(&permits, Lane::Urgent, 0..12, fast).await;
    assert_eq!(other.with.len(), 12, "the others have the rest");
}

#[tokio::test(start_paused = true)]
async fn slow_accounts_together_leave_half_of_all_calls() {
    let slow = ["a", "b", "c", "d"].map(own);
    let permits = quick(16, &slow).await;
    let mut held = Vec::new();
    for slow in slow {
        let mut taken = take(&permits, Lane::Urgent, 0..3, slow).await;
        begin(&mut taken);
        held.push(taken);
    }
    after(2).await;

    let more = take(&permits, Lane::Urgent, 5..6, slow[0]).await;
    assert_eq!((more.with.len(), more.without.len()), (0, 1), "each has two of eight");
    held.pop();
    assert_eq!(take(&permits, Lane::Urgent, 5..6, own("fast")).await.with.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_slow_once_has_a_call_beside_others_that_have_their_half() {
    let (once, a, b) = (own("once"), own("a"), own("b"));
    let permits = quick(16, &[a, b]).await;
    let mut was = take(&permits, Lane::Urgent, 0..1, once).await;
    begin(&mut was);
    after(2).await;
    drop(was);

    let mut held = Vec::new();
    for slow in [a, b] {
        let mut taken = take(&permits, Lane::Urgent, 0..4, slow).await;
        begin(&mut taken);
        held.push(taken);
    }
    after(2).await;
    assert_eq!(take(&permits, Lane::Urgent, 5..6, once).await.with.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_with_many_accounts_that_do_not_answer_leaves_the_others_theirs() {
    let accounts: Vec<Payer<'static>> = (0..300)
        .map(|number| payer("many", Box::leak(format!("account-{number}").into_boxed_str())))
        .collect();
    let permits = quick(256, &[own("known")]).await;

    // None of them is known, all are called at once, and again once they are known to be slow.
    let mut held = Vec::new();
    for _ in 0..3 {
        for account in &accounts {
            let mut taken = take(&permits, Lane::Urgent, 0..4, *account).await;
            begin(&mut taken);
            held.push(taken);
        }
        after(1).await;
    }
    let of_the_tenant: usize = held.iter().map(|taken| taken.with.len()).sum();
    assert!((32..=64).contains(&of_the_tenant), "{of_the_tenant} of 256");
    let new = *accounts.last().expect("one");
    let more = take(&permits, Lane::Urgent, 0..4, new).await;
    assert_eq!((more.with.len(), more.without.len()), (0, 4), "it does not wait for the others");
    let rates = permits.slow_rates(&[new, accounts[0]]);
    assert!(!rates[new.account].is_its_own, "and comes back as fast as slow ones are called");
    assert!(rates[accounts[0].account].is_its_own);
    assert_eq!(take(&permits, Lane::Urgent, 0..150, own("known")).await.with.len(), 150);
    assert_eq!(take(&permits, Lane::Urgent, 0..1, own("new")).await.with.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_with_many_accounts_that_answer_leaves_half_while_another_waits() {
    let accounts = ["a", "b", "c", "d"].map(|account| payer("much", account));
    let permits = quick(16, &[accounts.as_slice(), &[own("other")]].concat()).await;
    let mut held = Vec::new();
    for account in accounts {
        held.push(take(&permits, Lane::Urgent, 0..16, account).await);
    }
    let all = |held: &[Taken]| held.iter().map(|taken| taken.with.len()).sum::<usize>();
    assert_eq!(all(&held), 12, "a quarter is left for another");

    let other = take(&permits, Lane::Urgent, 0..4, own("other")).await;
    assert_eq!(other.with.len(), 4);
    assert!(take(&permits, Lane::Urgent, 5..6, own("third")).await.with.is_empty());
    held.iter_mut().for_each(|taken| taken.with.clear());
    for (taken, account) in held.iter_mut().zip(accounts) {
        *taken = take(&permits, Lane::Urgent, 0..16, account).await;
    }
    assert_eq!(all(&held), 8, "half, while the third waits");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_nobody_knows_is_tried_with_a_few_calls() {
    let permits = Permits::new(64);
    let new = own("new");
    let mut held = take(&permits, Lane::Urgent, 0..64, new).await;
    assert_eq!((held.with.len(), held.without.len()), (2, 0), "the others wait");
    let others = ["a", "b", "c", "d", "e", "f", "g", "h"].map(own);
    let mut all = Vec::new();
    for other in others {
        all.push(take(&permits, Lane::Urgent, 0..64, other).await);
    }
    assert_eq!(all.iter().map(|taken| taken.with.len()).sum::<usize>(), 14, "of all such accounts");

    begin(&mut held);
    drop(held);
    assert_eq!(take(&permits, Lane::Urgent, 0..64, new).await.with.len(), 48);
}

#[tokio::test(start_paused = true)]
async fn what_a_claim_takes_does_not_make_an_account_slow() {
    let a = own("a");
    let permits = quick(16, &[a]).await;
    let held = take(&permits, Lane::Urgent, 0..4, a).await;
    after(2).await;
    assert_eq!(slow_rate(&permits, a), None);
    drop(held);
    assert_eq!(slow_rate(&permits, a), None);
}

#[tokio::test(start_paused = true)]
async fn while_others_wait_an_account_has_a_quarter() {
    let (a, b) = (own("a"), own("b"));
    let permits = quick(16, &[a, b]).await;
    let held = take(&permits, Lane::Urgent, 0..12, a).await;
    let rest = take(&permits, Lane::Urgent, 0..4, b).await;
    let none = take(&permits, Lane::Urgent, 9..10, own("c")).await;
    assert!(none.with.is_empty() && none.without.is_empty(), "in vain until then");

    drop((held, rest));
    assert_eq!(take(&permits, Lane::Urgent, 0..12, a).await.with.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_comes_back_is_taken_by_whoever_waits() {
    let (a, b, c) = (own("a"), own("b"), own("c"));
    let permits = quick(4, &[a, b, c]).await;
    let until = Instant::now() + LONG;
    let mut waiting: VecDeque<usize> = (0..4).collect();
    let payer_of = |index: usize| if index < 2 { a } else { b };
    let mut held = permits.take(Lane::Urgent, &mut waiting, until, payer_of).await;
    assert_eq!(held.with.len(), 4);

    let mut nine = VecDeque::from([9]);
    let waits = permits.take(Lane::Urgent, &mut nine, until, |_| c);
    let frees = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        held.with.pop();
    };

    let (taken, ()) = tokio::join!(waits, frees);
    assert_eq!(indexes(&taken), [9]);
}

#[tokio::test(start_paused = true)]
async fn tenants_that_wait_on_one_account_each_count_as_waiting() {
    let [a, b] = ["a", "b"].map(|tenant| payer(tenant, "shared"));
    let other = payer("a", "other");
    let permits = quick(16, &[a, other]).await;
    let held = take(&permits, Lane::Urgent, 0..12, a).await;
    assert!(take(&permits, Lane::Urgent, 20..21, b).await.with.is_empty());
    assert!(take(&permits, Lane::Urgent, 30..31, a).await.with.is_empty());

    assert!(take(&permits, Lane::Urgent, 40..41, other).await.with.is_empty(), "b waits as well");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_tenants_slow_accounts_leave_some_of_its_calls_to_try_others() {
    let (slow, new) = (payer("one", "slow"), payer("one", "new"));
    let permits = quick(256, &[slow]).await;
    let mut first = take(&permits, Lane::Urgent, 0..40, slow).await;
    begin(&mut first);
    after(2).await;
    let mut second = take(&permits, Lane::Urgent, 40..100, slow).await;
    begin(&mut second);
    assert_eq!(first.with.len() + second.with.len(), 56, "seven eighths of a quarter");
    assert_eq!(take(&permits, Lane::Urgent, 0..9, new).await.with.len(), 8);
}
