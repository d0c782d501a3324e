package netflow

// Config has the settings of NetFlow v9 and IPFIX.
type Config struct {
	// Elements to store in the column Extra: by IANA name (tcpWindowSize), by vendor and name
	// (ixia/hostName), or by number, ID or PEN:ID, for those without a name.
	Extra []Element `yaml:"extra" reload:"live"`
}
