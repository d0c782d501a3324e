package engine

import "testing"

// The reader may leave parts of tables out, and give no other expression in that setting.
func TestReaderWithoutParts(t *testing.T) {
	for value, allowed := range map[string]bool{
		`{'flows':'_part NOT IN (\'1795003200_1_1_0\')'}`:                                                    true,
		`{'counters':'_part NOT IN (\'20261118_1_1_0\')','flows':'_part NOT IN (\'a_1_1_0\', \'b_2_2_0\')'}`: true,
		`{}`:            false,
		`{'flows':'1'}`: false,
		`{'flows':'_part NOT IN (\'a\') OR file(\'/etc/passwd\') != \'\''}`: false,
		`{'flows':'_part NOT IN (\'a\')','system.one':'file(\'x\')'}`:       false,
		`{'flows':'_part NOT IN (\'a\', file(\'x\'))'}`:                     false,
		`{'flows':'_part NOT IN (SELECT 1)'}`:                               false,
		`{'flows':'_part NOT IN (\'a\\\', file(\'x\'), \'\')'}`:             false,
		"{'flows':'_part NOT IN (\\'a\\')'}\n{'x':'1'}":                     false,
		"x{'flows':'_part NOT IN (\\'a\\')'}":                               false,
		`{'flows':'_part NOT IN (\'a\')'}, readonly = 0`:                    false,
	} {
		if err := (limits{}).readerSetting(setting{name: "additional_table_filters", value: value}); (err == nil) != allowed {
			t.Errorf("%s: %v", value, err)
		}
	}
}
