-- How soon a sender may write to one person again, on channels whose carrier limits that (WhatsApp: one message in six
-- seconds). Database time. The claim takes a row under the lock of the sender's pace. A row whose time is over means
-- nothing: the sender's next claim removes such rows, so that there are as many as pairs of its last six seconds.
create table pair_pace (
    tenant_id text not null,
    sender_id uuid not null,
    contact_id uuid not null,                    -- made of the person's address, so that it holds no number
    next_free timestamptz not null,
    primary key (tenant_id, sender_id, contact_id)
) with (fillfactor = 70);
call protect('pair_pace');
