#!/bin/sh
# Runs once, on an empty volume: makes the database, its three roles, and the login of every
# process. The login has no rights of its own: a process says which role it works as.
set -eu
no="nosuperuser nobypassrls nocreatedb nocreaterole noreplication"
password=$(cat /run/secrets/login-password)

psql --quiet --set ON_ERROR_STOP=1 --set password="$password" --username postgres --dbname postgres <<SQL
create role millrace_owner nologin $no;
create role millrace_api nologin $no;
create role millrace_pipeline nologin $no;
create role millrace login noinherit $no password :'password';
grant millrace_owner, millrace_api, millrace_pipeline to millrace;

create database millrace owner millrace_owner;
revoke all on database millrace from public;
grant connect on database millrace to millrace;

\connect millrace
alter schema public owner to millrace_owner;
revoke all on schema public from public;
grant usage on schema public to millrace_api, millrace_pipeline;
SQL
