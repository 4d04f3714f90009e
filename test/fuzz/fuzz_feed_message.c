/*
 * fuzz_feed_message.c
 *	  Any bytes as a message of crypto:updates: its quotes lie within it, in their order, and nothing is read twice.
 */
#include "fuzz.h"

#include <string.h>

#include "feed_message.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1); /* without a NUL behind it, for the address sanitizer */
	FeedMessage message;

	if (size > 0)
		memcpy(copy, data, size);
	if (feed_message_read(copy, size, &message))
	{
		const char *end = copy;
		const char *json;
		size_t len;

		while (feed_message_next(&message, &json, &len))
		{
			FUZZ_CHECK(json >= end && len > 0 && json + len <= copy + size);
			end = json + len;
		}
		FUZZ_CHECK(message.at == message.end);
	}
	free(copy);
	return 0;
}
