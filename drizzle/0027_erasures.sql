CREATE TABLE "erasures" (
	"org_id" text NOT NULL,
	"id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"actor" text NOT NULL,
	"requested_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"person" json,
	"stage" text DEFAULT 'people' NOT NULL,
	"place" json,
	"messages" integer DEFAULT 0 NOT NULL,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "erasures_pkey" PRIMARY KEY("org_id","id"),
	CONSTRAINT "erasures_name_nobody_at_the_end" CHECK (("erasures"."finished_at" is null) = ("erasures"."person" is not null))
);
--> statement-breakpoint
CREATE TABLE "tombstones" (
	"org_id" text NOT NULL,
	"digest" "bytea" NOT NULL,
	"erased_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "tombstones_pkey" PRIMARY KEY("org_id","digest")
);
--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "erased_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "orgs" ADD COLUMN "erased_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "erasures_one_open" ON "erasures" USING btree ("org_id","customer_id") WHERE finished_at is null;--> statement-breakpoint
CREATE INDEX "tombstones_erased" ON "tombstones" USING btree ("erased_at");