/* Questions about host paths. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

static lcowmig_status path_fail(lcowmig_call *call, DWORD code)
{
	lcowmig__computecore_fail(call, HRESULT_FROM_WIN32(code), NULL);
	return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND ? LCOWMIG_E_NOT_FOUND : LCOWMIG_E_HOST_FAILED;
}

/* \\?\C:\x is C:\x, and \\?\UNC\server\share is \\server\share. Changes the text, returns where it begins. */
static wchar_t *path_strip(wchar_t *path)
{
	if (wcsncmp(path, L"\\\\?\\UNC\\", 8) == 0) {
		path[6] = L'\\';
		return path + 6;
	}
	return wcsncmp(path, L"\\\\?\\", 4) == 0 ? path + 4 : path;
}

/* The final name of an open file; NULL and an error code otherwise. */
static wchar_t *path_final(HANDLE file, DWORD *ret_code)
{
	DWORD length = GetFinalPathNameByHandleW(file, NULL, 0, FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
	wchar_t *path = length ? malloc(((size_t)length + 1) * sizeof(*path)) : NULL;

	*ret_code = length ? ERROR_NOT_ENOUGH_MEMORY : GetLastError();
	if (path && !GetFinalPathNameByHandleW(file, path, length + 1, FILE_NAME_NORMALIZED | VOLUME_NAME_DOS)) {
		*ret_code = GetLastError();
		free(path);
		path = NULL;
	}
	return path;
}

lcowmig_status lcowmig__computecore_resolve_path(void *user, lcowmig_call *call, const char *path)
{
	wchar_t *wide = lcowmig__computecore_wide(path);
	lcowmig_status status;
	wchar_t *final;
	char *answer;
	HANDLE file;
	DWORD code;

	(void)user;
	if (!wide)
		return LCOWMIG_E_NO_MEMORY;
	file = CreateFileW(wide, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
	code = GetLastError();
	free(wide);
	if (file == INVALID_HANDLE_VALUE)
		return path_fail(call, code);
	final = path_final(file, &code);
	CloseHandle(file);
	if (!final)
		return path_fail(call, code);
	answer = lcowmig__computecore_utf8(path_strip(final));
	free(final);
	status = answer ? lcowmig_call_set_result(call, answer, strlen(answer)) : LCOWMIG_E_NO_MEMORY;
	free(answer);
	return status;
}

lcowmig_status lcowmig__computecore_path_type(void *user, lcowmig_call *call, const char *path)
{
	wchar_t *wide = lcowmig__computecore_wide(path);
	DWORD attributes;
	DWORD code;

	(void)user;
	if (!wide)
		return LCOWMIG_E_NO_MEMORY;
	attributes = GetFileAttributesW(wide);
	code = GetLastError();
	free(wide);
	if (attributes == INVALID_FILE_ATTRIBUTES)
		return path_fail(call, code);
	return attributes & FILE_ATTRIBUTE_DIRECTORY ? lcowmig_call_set_result(call, "directory", 9) : lcowmig_call_set_result(call, "file", 4);
}
