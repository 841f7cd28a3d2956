-- Everything that gates count: budgets, quotas, a sender's day. Locked in key order by whoever
-- raises them, so that two gates never deadlock and a sum never passes its cap.

create table counters (
    tenant_id text not null,
    kind text not null,                          -- domain::gates::CounterKind
    key text not null,                           -- the campaign's or sender's id; '' for the tenant
    window_start timestamptz not null,           -- start of the day, month, hour or minute counted
    used bigint not null,
    primary key (tenant_id, kind, key, window_start)
) with (fillfactor = 50);
call protect('counters');
