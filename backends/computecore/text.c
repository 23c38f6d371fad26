#include "core.h"

#include <stdlib.h>

wchar_t *lcowmig__computecore_wide(const char *text)
{
	int length = MultiByteToWideChar(CP_UTF8, 0, text ? text : "", -1, NULL, 0);
	wchar_t *wide = malloc(((size_t)length + 1) * sizeof(*wide));

	if (wide) {
		wide[0] = L'\0';
		MultiByteToWideChar(CP_UTF8, 0, text ? text : "", -1, wide, length);
	}
	return wide;
}

char *lcowmig__computecore_utf8(const wchar_t *text)
{
	int length = WideCharToMultiByte(CP_UTF8, 0, text ? text : L"", -1, NULL, 0, NULL, NULL);
	char *utf8 = malloc((size_t)length + 1);

	if (utf8) {
		utf8[0] = '\0';
		WideCharToMultiByte(CP_UTF8, 0, text ? text : L"", -1, utf8, length, NULL, NULL);
	}
	return utf8;
}
