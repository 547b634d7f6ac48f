package httpdconf

// stockUnbuiltRows lists the directives of stock modules that few builds of
// httpd have: of Windows, of Solaris, and of rustls. Their usage texts were not
// measured, so messages about them end before the comma. It is constant.
var stockUnbuiltRows = []directiveInfo{
	{"ISAPIAppendLogToErrors", "mod_isapi.c", argsFlag, orFileInfo, tierD, ""},
	{"ISAPIAppendLogToQuery", "mod_isapi.c", argsFlag, orFileInfo, tierD, ""},
	{"ISAPICacheFile", "mod_isapi.c", argsIterate, serverConf, tierD, ""},
	{"ISAPIFakeAsync", "mod_isapi.c", argsFlag, orFileInfo, tierD, ""},
	{"ISAPILogNotSupported", "mod_isapi.c", argsFlag, orFileInfo, tierD, ""},
	{"ISAPIReadAheadBuffer", "mod_isapi.c", argsOne, orFileInfo, tierD, ""},
	{"DTracePrivileges", "mod_privileges.c", argsFlag, serverConf, tierC, ""},
	{"PrivilegesMode", "mod_privileges.c", argsOne, accessConf | serverConf, tierC, ""},
	{"VHostCGIMode", "mod_privileges.c", argsOne, serverConf, tierC, ""},
	{"VHostCGIPrivs", "mod_privileges.c", argsIterate, serverConf, tierC, ""},
	{"VHostGroup", "mod_privileges.c", argsOne, serverConf, tierC, ""},
	{"VHostPrivs", "mod_privileges.c", argsIterate, serverConf, tierC, ""},
	{"VHostSecure", "mod_privileges.c", argsFlag, serverConf, tierC, ""},
	{"VHostUser", "mod_privileges.c", argsOne, serverConf, tierC, ""},
	{"TLSCertificate", "mod_tls.c", argsOneTwo, serverConf, tierC, ""},
	{"TLSCiphersPrefer", "mod_tls.c", argsArgv, serverConf, tierC, ""},
	{"TLSCiphersSuppress", "mod_tls.c", argsArgv, serverConf, tierC, ""},
	{"TLSEngine", "mod_tls.c", argsOne, serverConf, tierC, ""},
	{"TLSHonorClientOrder", "mod_tls.c", argsOne, serverConf, tierC, ""},
	{"TLSOptions", "mod_tls.c", argsArgv, orOptions, tierC, ""},
	{"TLSProtocol", "mod_tls.c", argsOne, serverConf, tierC, ""},
	{"TLSProxyCA", "mod_tls.c", argsOne, serverConf | proxyConf, tierC, ""},
	{"TLSProxyCiphersPrefer", "mod_tls.c", argsArgv, serverConf | proxyConf, tierC, ""},
	{"TLSProxyCiphersSuppress", "mod_tls.c", argsArgv, serverConf | proxyConf, tierC, ""},
	{"TLSProxyEngine", "mod_tls.c", argsFlag, serverConf | proxyConf, tierC, ""},
	{"TLSProxyMachineCertificate", "mod_tls.c", argsOneTwo, serverConf | proxyConf, tierC, ""},
	{"TLSProxyProtocol", "mod_tls.c", argsOne, serverConf | proxyConf, tierC, ""},
	{"TLSSessionCache", "mod_tls.c", argsOne, serverConf, tierB, ""},
	{"TLSStrictSNI", "mod_tls.c", argsOne, serverConf, tierC, ""},
}
