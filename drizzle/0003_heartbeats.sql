CREATE TABLE "heartbeats" (
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"asked_at" timestamp (3) with time zone,
	"answered_at" timestamp (3) with time zone,
	"rows" integer,
	CONSTRAINT "heartbeats_pkey" PRIMARY KEY("kind","name"),
	CONSTRAINT "heartbeats_kind_known" CHECK ("heartbeats"."kind" in ('queue', 'sweep'))
);
