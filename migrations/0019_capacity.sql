-- What is over a capacity, and who is told of it.

-- Where each capacity's queue of waiting messages stands. A message that is over a capacity
-- gets its due time from here, and moves the line on by what it takes.
create table lines (
    tenant_id text not null,
    key text not null,                           -- domain::gates::LineKey: 'spend_day', 'sender_day:<id>', ...
    next_due timestamptz not null,               -- business time: when the next message fits
    primary key (tenant_id, key)
) with (fillfactor = 50);
call protect('lines');

-- Warnings about budgets that have been given: each once in its window.
create table budget_alerts (
    tenant_id text not null,
    kind text not null,                          -- domain::gates::CounterKind
    key text not null,                           -- the campaign's id; '' for the tenant
    window_start timestamptz not null,
    level text not null check (level in ('warning', 'exhausted')),
    at timestamptz not null,                     -- business time
    primary key (tenant_id, kind, key, window_start, level)
);
call protect('budget_alerts');
