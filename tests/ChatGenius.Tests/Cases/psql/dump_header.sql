--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;

CREATE TABLE public.t (
    n integer NOT NULL,
    v text DEFAULT ''::text
);

COPY public.t (n, v) FROM stdin;
1	;
2	\\
\.

SELECT pg_catalog.set_config('search_path', 'public', false);
ALTER TABLE ONLY t ADD CONSTRAINT t_pkey PRIMARY KEY (n);
