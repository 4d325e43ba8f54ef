; The installer of Windows (Inno Setup 6.3 or newer), made from the bundle:
;   iscc /DVersion=0.1.0 /DBundle=dist\smtp-desk /O+dist packaging\windows\smtp-desk.iss
; Where /DSign is given, Inno Setup signs installer and uninstaller with the tool named "sign":
;   iscc /DSign "/Ssign=signtool.exe sign /fd sha256 /td sha256 /tr $qhttp://timestamp.example/$q $f" …

#ifndef Version
  #error Give the version: /DVersion=0.1.0
#endif
#ifndef Bundle
  #define Bundle "..\..\dist\smtp-desk"
#endif

[Setup]
; Never changes: by it Windows knows an upgrade.
AppId={{6E0C6B6F-6E0B-4E57-9D4F-1C1F6A0E7B52}
AppName=SMTP Desk
AppVersion={#Version}
AppPublisher=The SMTP Desk authors
DefaultDirName={autopf}\SMTP Desk
DisableProgramGroupPage=yes
; For all users; a person without administrator rights may install for themselves.
PrivilegesRequired=admin
PrivilegesRequiredOverridesAllowed=dialog commandline
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
OutputBaseFilename=smtp-desk-{#Version}-windows-x86_64
Compression=lzma2
SolidCompression=yes
ChangesAssociations=yes
ChangesEnvironment=yes
CloseApplications=yes
LicenseFile=..\..\LICENSE
UninstallDisplayIcon={app}\smtp-desk.exe
#ifdef Sign
SignTool=sign
SignedUninstaller=yes
#endif

[Files]
Source: "{#Bundle}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs

[InstallDelete]
; What an older version had and this one hasn't.
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{autoprograms}\SMTP Desk"; Filename: "{app}\smtp-desk-window.exe"

[Registry]
Root: HKA; Subkey: "Software\Classes\.smtpdesk"; ValueType: string; ValueData: "SmtpDesk.Report"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.smtpdesk"; ValueType: string; ValueName: "Content Type"; ValueData: "application/vnd.smtp-desk.report+json"
Root: HKA; Subkey: "Software\Classes\SmtpDesk.Report"; ValueType: string; ValueData: "SMTP Desk report"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\SmtpDesk.Report\DefaultIcon"; ValueType: string; ValueData: "{app}\smtp-desk.exe,0"
Root: HKA; Subkey: "Software\Classes\SmtpDesk.Report\shell\open\command"; ValueType: string; ValueData: """{app}\smtp-desk-window.exe"" open ""%1"""
