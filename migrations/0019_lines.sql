-- Lines: where each capacity's queue of waiting messages stands. A message that is over a capacity
-- gets its due time from here, and moves the line on by what it takes.
create table lines (
    tenant_id text not null,
    key text not null,                           -- domain::gates::LineKey: 'spend_day', 'sender_day:<id>', ...
    next_due timestamptz not null,               -- business time: when the next message fits
    primary key (tenant_id, key)
) with (fillfactor = 50);
call protect('lines');
