-- Autovacuum analyses a table again once a tenth of it has changed, and each message changes its row four times: of a loaded
-- platform `messages` and `standings` were analysed every ten seconds, 30,000 rows with every column sorted, texts and
-- passports too. No look-up goes by those, and plans go by keys (docs/adr/0005): it is enough to count such a table again
-- when it has changed as a whole.
alter table messages set (autovacuum_analyze_scale_factor = 1);
alter table standings set (autovacuum_analyze_scale_factor = 1);

alter table messages
    alter column body set statistics 0,
    alter column body_hash set statistics 0,
    alter column media set statistics 0,
    alter column metadata set statistics 0,
    alter column passport set statistics 0,
    alter column pricing set statistics 0;
alter table standings
    alter column marketing_at set statistics 0,
    alter column stopped_programs set statistics 0;
alter table parked
    alter column payload set statistics 0;
