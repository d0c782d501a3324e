package engine

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Codes of ClickHouse errors that the HTTP layer itself raises or checks.
const (
	codeBadArguments        = 36
	codeNotImplemented      = 48
	codeSyntaxError         = 62
	codeUnknownFormat       = 73
	codeUnknownSetting      = 115
	codeTimeoutExceeded     = 159
	codeReadonly            = 164
	codeUnknownSession      = 372
	codeSessionLocked       = 373
	codeQuotaExceeded       = 201
	codeTooManyQueries      = 202
	codeTooBig              = 168
	codeSocketTimeout       = 209
	codeSameQueryID         = 216
	codeNetworkError        = 210
	codeQueryCancelled      = 394
	codeTooManyBytes        = 396
	codeConstraintViolation = 452
	codeAccessDenied        = 497
	codeAuthFailed          = 516
	codeCannotDecompress    = 271
	codeStdException        = 1001
)

// exception is an error in the form that ClickHouse sends to its clients.
type exception struct {
	code    int
	message string // "Code: 62. DB::Exception: … (SYNTAX_ERROR)"
}

func (e *exception) Error() string { return e.message }

// errorf makes an exception that the engine did not raise.
func errorf(code int, name, format string, args ...any) *exception {
	return &exception{code, fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, strings.TrimSuffix(fmt.Sprintf(format, args...), "."), name)}
}

var (
	codePattern = regexp.MustCompile(`^Code: (\d+)\. DB::(\w+): `)

	// An exception that passed through several layers repeats itself, completely or in part.
	// The version is removed: the response has it.
	//   Code: 164. DB::Exception: Code: 164. DB::Exception: text. (READONLY) (version 26.7.2.1). (READONLY)
	nestedPattern = regexp.MustCompile(`^(Code: \d+\. DB::\w+: )(?:Code: \d+\. DB::\w+: )+`)
	endPattern    = regexp.MustCompile(`(?: \(version [^()]*(?:\([^()]*\))?\)\.?| \([A-Z0-9_]+\))+$`)
	namePattern   = regexp.MustCompile(` \([A-Z0-9_]+\)`)
)

// engineError parses an error of the engine.
func engineError(err error) *exception {
	if e, ok := err.(*exception); ok {
		return e
	}
	text := strings.TrimPrefix(strings.TrimSpace(err.Error()), "Error: ")
	m := codePattern.FindStringSubmatch(text)
	if m == nil {
		return &exception{codeStdException, fmt.Sprintf("Code: %d. DB::Exception: %s. (STD_EXCEPTION)", codeStdException, text)}
	}
	code, _ := strconv.Atoi(m[1])
	text = nestedPattern.ReplaceAllString(text, "$1")
	text = endPattern.ReplaceAllStringFunc(text, func(end string) string { return namePattern.FindString(end) })
	return &exception{code, text}
}

// httpStatus maps a ClickHouse error to the status that ClickHouse answers with.
func (e *exception) httpStatus() int {
	switch e.code {
	case codeAuthFailed, codeReadonly, codeAccessDenied:
		return http.StatusForbidden
	case 6, 27, 26, 38, 41, 43, 44, 53, 57, 62, 69, 70, 72, 130, 131, 132, 346, 456, 457, codeBadArguments, codeConstraintViolation, codeCannotDecompress, 371,
		codeTooBig, codeTooManyBytes:
		return http.StatusBadRequest
	case 16, 46, 47, 50, 56, 60, 73, 79, 81, 115, codeUnknownSession:
		return http.StatusNotFound
	case 223:
		return http.StatusRequestEntityTooLarge
	case codeNotImplemented:
		return http.StatusNotImplemented
	case codeTimeoutExceeded, codeSocketTimeout:
		return http.StatusRequestTimeout
	case codeQuotaExceeded:
		return http.StatusTooManyRequests
	case codeTooManyQueries:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
