CREATE TABLE "former_aliases" (
	"org_id" text NOT NULL,
	"kind" text NOT NULL,
	"value" text NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	"customer_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "former_aliases_pkey" PRIMARY KEY("org_id","kind","value","until"),
	CONSTRAINT "former_aliases_kind_known" CHECK ("former_aliases"."kind" in ('phone', 'wa_id', 'bsuid', 'parent_bsuid'))
);
--> statement-breakpoint
ALTER TABLE "customer_aliases" ADD COLUMN "since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "customer_aliases" ADD COLUMN "waba_ids" text[];--> statement-breakpoint
ALTER TABLE "former_aliases" ADD CONSTRAINT "former_aliases_customer_fkey" FOREIGN KEY ("org_id","customer_id") REFERENCES "public"."customers"("org_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "former_aliases_customer" ON "former_aliases" USING btree ("org_id","customer_id");--> statement-breakpoint
CREATE INDEX "customer_aliases_with_plus" ON "customer_aliases" USING btree ("org_id","value") WHERE kind = 'wa_id' and value like '+%';