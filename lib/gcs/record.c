/*
 * The recording: one line of text for each frame, so that a conversation with a guest can be read, compared and reported. What a process
 * has in its environment and what a policy says is nobody's business but theirs; it is masked, also in documents inside documents.
 */
#include "gcs.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

static const char mask[] = "***";

static bool text_contains_nocase(const char *text, const char *part)
{
	size_t length = strlen(part);

	for (; *text; text++) {
		size_t i;

		for (i = 0; i < length; i++) {
			char c = text[i];

			if (c >= 'A' && c <= 'Z')
				c = (char)(c + ('a' - 'A'));
			if (c != part[i])
				break;
		}
		if (i == length)
			return true;
	}
	return false;
}

static bool key_is_secret(const char *key)
{
	static const char *const whole[] = { "env", "Environment", "Fragment" };
	static const char *const parts[] = { "policy", "uvmreference", "uvmhashenvelope" };
	size_t i;

	for (i = 0; i < LCOWMIG__COUNT(whole); i++)
		if (lcowmig__text_compare_nocase(key, whole[i]) == 0)
			return true;
	for (i = 0; i < LCOWMIG__COUNT(parts); i++)
		if (text_contains_nocase(key, parts[i]))
			return true;
	return false;
}

/* Replaces a string's text; false when memory is out. "NAME=value" keeps its name. */
static bool mask_string(cJSON *item, bool keeps_name)
{
	const char *equals = keeps_name ? strchr(item->valuestring, '=') : NULL;
	size_t kept = equals ? (size_t)(equals - item->valuestring) + 1 : 0;
	char *masked = cJSON_malloc(kept + sizeof mask);

	if (!masked)
		return false;
	memcpy(masked, item->valuestring, kept);
	memcpy(masked + kept, mask, sizeof mask);
	cJSON_free(item->valuestring);
	item->valuestring = masked;
	return true;
}

/* Masks every string below a secret member. */
static bool mask_all(cJSON *item)
{
	cJSON *child;

	if (cJSON_IsString(item))
		return mask_string(item, true);
	for (child = item->child; child; child = child->next)
		if (!mask_all(child))
			return false;
	return true;
}

static bool mask_tree(const lcowmig_gcs *gcs, cJSON *item, unsigned depth);

/* A string may be a document of its own (ContainerConfig, ProcessParameters). One that cannot be looked into is masked as a whole. */
static bool mask_nested(const lcowmig_gcs *gcs, cJSON *item, unsigned depth)
{
	const char *text = item->valuestring;
	cJSON *tree = NULL;
	char *printed = NULL;

	text += strspn(text, " \t\r\n");
	if (*text != '{' && *text != '[')
		return true;
	if (!depth)
		return mask_string(item, false);
	if (lcowmig__json_parse("nested document", text, strlen(text), gcs->context->limits.document_bytes, &gcs->context->limits,
				&tree, NULL) != LCOWMIG_OK)
		return mask_string(item, false);
	if (mask_tree(gcs, tree, depth - 1))
		printed = cJSON_PrintUnformatted(tree);
	cJSON_Delete(tree);
	if (!printed)
		return false;
	cJSON_free(item->valuestring);
	item->valuestring = printed;
	return true;
}

static bool mask_tree(const lcowmig_gcs *gcs, cJSON *item, unsigned depth)
{
	cJSON *child;

	if (cJSON_IsString(item))
		return mask_nested(gcs, item, depth);
	for (child = item->child; child; child = child->next) {
		bool is_secret = child->string && key_is_secret(child->string);

		if (!(is_secret ? mask_all(child) : mask_tree(gcs, child, depth)))
			return false;
	}
	return true;
}

/* The payload without its secrets, or words about why there is none. */
static void record_masked(const lcowmig_gcs *gcs, lcowmig__buf *line, const char *text, size_t size)
{
	char *printed = NULL;
	cJSON *tree = NULL;

	if (lcowmig__json_parse("frame", text, size, gcs->context->limits.document_bytes + LCOWMIG_GCS_FRAME_MAX,
				&gcs->context->limits, &tree, NULL) != LCOWMIG_OK) {
		lcowmig__buf_text(line, " (no JSON)");
		return;
	}
	if (mask_tree(gcs, tree, 3))
		printed = lcowmig__json_print(&gcs->context->mem, tree);
	cJSON_Delete(tree);
	lcowmig__buf_printf(line, " %s", printed ? printed : "(no memory)");
	lcowmig__free(&gcs->context->mem, printed);
}

static void record_raw(lcowmig__buf *line, const char *text, size_t size)
{
	bool is_text = lcowmig__utf8_is_valid(text, size);
	size_t i;

	lcowmig__buf_append(line, " ", 1);
	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' && i + 1 == size)
			break;
		if (c < 0x20 || c == 0x7f || (c > 0x7f && !is_text))
			lcowmig__buf_printf(line, "\\x%02x", c);
		else
			lcowmig__buf_append(line, &text[i], 1);
	}
}

static void record_line(const lcowmig_gcs *gcs, lcowmig__buf *line)
{
	gcs->config.record(gcs->config.user, line->failed ? "= a line is missing: out of memory" : line->data);
	lcowmig__buf_done(line);
}

void lcowmig__record_frame(lcowmig_gcs *gcs, char direction, const lcowmig__frame *frame, const char *text, size_t size)
{
	lcowmig__buf line;

	if (!gcs->config.record)
		return;
	lcowmig__buf_init(&line, &gcs->context->mem);
	lcowmig__buf_printf(&line, "%c %s id=%llu size=%lu", direction, lcowmig__frame_name(frame->type), (unsigned long long)frame->id,
			    (unsigned long)frame->size);
	if (gcs->config.flags & LCOWMIG_GCS_RECORD_SECRETS)
		record_raw(&line, text, size);
	else
		record_masked(gcs, &line, text, size);
	record_line(gcs, &line);
}

void lcowmig__record_change(lcowmig_gcs *gcs, const char *what)
{
	lcowmig__buf line;

	if (!gcs->config.record)
		return;
	lcowmig__buf_init(&line, &gcs->context->mem);
	lcowmig__buf_printf(&line, "= %s", what);
	record_line(gcs, &line);
}
